import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { before, describe, test } from "node:test";
import { contentOf } from "../../../test/kit/files.ts";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { ownCertificate, selfSigned } from "../../../test/kit/own-certificate.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { SHUT } from "../../core/incident/incident.ts";
import { keepIsolation } from "../../host/firewall/isolation.ts";
import { servedFiles } from "../../mail/certificates/issue-certificate.ts";
import { makeSecrets } from "../../mail/configuration/apply.ts";
import { makeDirectories } from "../../mail/configuration/directories.ts";
import { USERS } from "../../settings/layout.ts";
import { prepareCertificate } from "../set-up/certificate.ts";
import { createKeeperVerbs } from "./verbs.ts";

const NEEDS = {
  root: true,
  installed: ["postconf", "doveconf", "unbound-checkconf", "fail2ban-client", "rspamadm", "spamassassin", "sievec"],
  users: Object.values(USERS).filter((name) => /^ghostinbox(-web|-mail|-fail2ban)?$/.test(name)),
};

/** With every component's own checker, in a data directory from set-up; no service runs there. */
describe("`apply`", { skip: lacking(NEEDS) }, () => {
  const layout = temporaryLayout();
  const toml = (size: string) => `domains = ["example.org"]\n[limits.mail]\nmax_size = "${size}"\n`;
  const size = () => /^message_size_limit = (\d+)$/m.exec(contentOf(join(layout.postfixConf, "main.cf")))?.[1];
  let verbs: ReturnType<typeof createKeeperVerbs>;
  before(async () => {
    chmodSync(layout.data, 0o755);
    writeFileSync(layout.settings, toml("5MB"));
    makeDirectories(layout);
    // SpamAssassin loads it, as its own user.
    copyFileSync(join("security", basename(layout.perUserBayes)), layout.perUserBayes);
    makeSecrets(layout);
    await prepareCertificate(loadValid(toml("5MB")).settings, layout);
    verbs = createKeeperVerbs(layout, {});
  });

  /** Applies the settings, which are these from now on. */
  const apply = (text = contentOf(layout.settings), keeper = verbs): Promise<KeeperReply> => {
    writeFileSync(layout.settings, text);
    return keeper.obey({ verb: "apply" });
  };
  const applied = async (text?: string): Promise<string> => {
    const reply = await apply(text);
    return reply.ok ? reply.detail : assert.fail(reply.reason);
  };

  test("renders everything at first, and then what the settings change, whatever happened to the certificate", async () => {
    assert.match(await applied(), /^Reloaded unbound and postfix and dovecot and .*rspamd\.$/);
    const bytes = size();
    // Its files are those in force, so mail for the served domains still works.
    writeFileSync(layout.tlsCert, "rubbish\n");
    assert.match(await applied(toml("6MB")), /^Reloaded postfix and dovecot and spamass-milter\.$/);
    assert.notEqual(size(), bytes);
    assert.equal(contentOf(layout.settingsInForce), toml("6MB"));
  });

  test("the spam filter is asked only while its programs run, which start and end with the server", async () => {
    const asks = () => /^ghostinbox_spam = /m.test(contentOf(join(layout.postfixConf, "main.cf")));
    assert.equal(asks(), false, "although spam.enabled is true");
    const milter = join(layout.services, "spamass-milter");
    mkdirSync(milter, { recursive: true });
    await applied(`${toml("6MB")}[spam]\nenabled = false\n`);
    assert.equal(asks(), true);
    rmSync(milter, { recursive: true });
    await applied(toml("6MB"));
    assert.equal(asks(), false);
  });

  test("if tls.cert is removed from the settings, a missing self-signed certificate is created again", async () => {
    const own = `[tls]\ncert = "${join(layout.data, "cert.pem")}"\nkey = "${join(layout.data, "key.pem")}"\n`;
    const { cert } = ownCertificate(layout.data);
    await applied(`${toml("6MB")}${own}`);
    const served = (): string => contentOf(servedFiles(layout).cert);
    assert.equal(served().trim(), cert.trim());
    for (const file of [layout.tlsCert, layout.tlsKey]) rmSync(file);
    await applied(toml("6MB"));
    assert.equal(served(), contentOf(layout.tlsCert));
  });

  test("only a new host name gets another self-signed certificate, which is served at once", async () => {
    const { cert, key } = selfSigned("mail server", "-addext", "subjectAltName=DNS:mail.example.org");
    writeFileSync(layout.tlsCert, cert);
    writeFileSync(layout.tlsKey, key);
    await applied(toml("7MB"));
    assert.equal(contentOf(layout.tlsCert), cert, "it expires soon, but mail programs would warn about a new one");
    const detail = await applied(`hostname = "mx.example.org"\n${toml("6MB")}`);
    assert.match(detail, /certificate/);
    const { subjectAltName } = new X509Certificate(contentOf(servedFiles(layout).cert));
    assert.equal(subjectAltName, "DNS:mx.example.org");
    await applied(toml("6MB"));
  });

  test("a service that could not be reloaded is reloaded by the next one, even if the keeper restarted", async () => {
    const postfix = join(layout.services, "postfix");
    mkdirSync(postfix, { recursive: true });
    for (const time of ["first", "second", "restarted"]) {
      const failed = await apply(toml("8MB"), time === "restarted" ? createKeeperVerbs(layout, {}) : verbs);
      assert.ok(!failed.ok && failed.mayBeDone === true, time);
      assert.match(failed.reason, /^postfix could not be reloaded/, time);
    }
    rmSync(postfix, { recursive: true });
    await applied();
  });

  test("the web reads its settings even if the keeper ends before whoever changed them restarts it", async () => {
    const web = join(layout.services, "web");
    mkdirSync(web, { recursive: true });
    assert.doesNotMatch(await applied(`${toml("8MB")}[http]\nnames = ["panel.example.org"]\n`), /web/);
    await assert.rejects(createKeeperVerbs(layout, {}).reloadUnread(), /web could not be reloaded/);
    rmSync(web, { recursive: true });
    await applied(toml("8MB"));
  });

  test("files that were moved before others failed are read after the next `apply` too", async () => {
    const postfix = join(layout.services, "postfix");
    mkdirSync(postfix, { recursive: true });
    const moved = `${layout.spamMilterConf}.moved`;
    renameSync(layout.spamMilterConf, moved);
    writeFileSync(layout.spamMilterConf, "");
    const failed = await apply(toml("9MB"));
    assert.ok(!failed.ok && failed.mayBeDone === true && size() === `${9 * 1024 * 1024}`);
    rmSync(layout.spamMilterConf);
    renameSync(moved, layout.spamMilterConf);
    assert.match(reasonOf(await apply()), /^postfix could not be reloaded/);
    rmSync(postfix, { recursive: true });
    await applied();
  });

  test("the isolation holds mail by the settings in force, whatever was edited since", async () => {
    const isolation = { incident: "i", since: "2026-11-20T07:00:00Z", allow: [], ssh: [22] };
    const inForce = contentOf(layout.settingsInForce);
    const bytes = size();
    for (const edited of ["a mistake", toml("7MB")]) {
      writeFileSync(layout.settings, edited);
      for (const shut of [SHUT, []]) {
        keepIsolation(layout, shut.length === 0 ? null : { ...isolation, shut });
        assert.ok((await verbs.obey({ verb: "apply", inForce: true })).ok, edited);
        assert.equal(/isolated/.test(contentOf(join(layout.postfixConf, "main.cf"))), shut.length > 0);
        assert.deepEqual([size(), contentOf(layout.settingsInForce)], [bytes, inForce]);
      }
    }
  });

  test("says that nothing is applied if a file that the settings name is missing", async () => {
    const refused = await apply(`${toml("7MB")}[spam]\nrules = "/nonexistent/rules.cf"\n`);
    assert.match(reasonOf(refused), /rules\.cf/);
    assert.ok(!refused.ok && refused.mayBeDone === undefined);
    assert.doesNotMatch(contentOf(layout.settingsInForce), /rules\.cf/);
  });

  test("other settings change without a named file that was there when it was named", async () => {
    const rules = join(layout.data, "rules.cf");
    const named = (bytes: string): string => `${toml(bytes)}[spam]\nrules = "${rules}"\n`;
    writeFileSync(rules, "score GTUBE 900\n");
    await applied(named("7MB"));
    rmSync(rules);
    assert.match(await applied(named("8MB")), /rules\.cf of spam\.rules does not exist .* stay in use\.$/);
    assert.equal(size(), `${8 * 1024 * 1024}`);
    assert.match(contentOf(join(layout.spamAssassinConf, "own.cf")), /GTUBE 900/);
    writeFileSync(rules, "x".repeat(1024 * 1024 + 1));
    assert.ok(!(await apply()).ok, "a file that is there and wrong");
    await applied(toml("7MB"));
  });

  test("says that something may be in force if a component refuses its files after Dovecot got its key", async () => {
    const before_ = size();
    const encrypted = `${toml("9MB")}[mailboxes]\nencryption = "server"\n`;
    const refused = await apply(`${encrypted}[dns]\nroot_hints = "/nonexistent/root.hints"\n`);
    assert.match(reasonOf(refused), /root\.hints/);
    assert.equal(size(), before_);
    assert.ok(existsSync(layout.mailKeyConf) && !refused.ok && refused.mayBeDone === true);
  });
});
