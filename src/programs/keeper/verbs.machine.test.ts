import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { before, describe, test } from "node:test";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { ownCertificate } from "../../../test/kit/own-certificate.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { servedFiles } from "../../mail/certificates/issue-certificate.ts";
import { makeSecrets } from "../../mail/configuration/apply.ts";
import { makeDirectories } from "../../mail/configuration/directories.ts";
import { USERS } from "../../settings/layout.ts";
import { prepareCertificate } from "../set-up/certificate.ts";
import { KeeperVerbs } from "./verbs.ts";

const NEEDS = {
  root: true,
  installed: ["postconf", "doveconf", "unbound-checkconf", "fail2ban-client", "rspamadm", "spamassassin", "sievec"],
  users: Object.values(USERS).filter((name) => /^ghostinbox(-web|-mail|-fail2ban)?$/.test(name)),
};

/** With every component's own checker, in a data directory from set-up; no service runs there. */
describe("`apply`", { skip: lacking(NEEDS) }, () => {
  const layout = temporaryLayout();
  const toml = (size: string) => `domains = ["example.org"]\n[limits.mail]\nmax_size = "${size}"\n`;
  const size = () =>
    /^message_size_limit = (\d+)$/m.exec(readFileSync(join(layout.postfixConf, "main.cf"), "utf8"))?.[1];
  let verbs: KeeperVerbs;
  before(async () => {
    chmodSync(layout.data, 0o755);
    writeFileSync(layout.settings, toml("5MB"));
    makeDirectories(layout);
    // SpamAssassin loads it, as its own user.
    copyFileSync(join("security", basename(layout.perUserBayes)), layout.perUserBayes);
    makeSecrets(layout);
    await prepareCertificate(loadValid(toml("5MB")).settings, layout);
    verbs = new KeeperVerbs(layout, {});
  });

  test("renders everything at first, and then what the settings change, whatever happened to the certificate", async () => {
    const first = await verbs.obey({ verb: "apply" });
    assert.match(first.ok ? first.detail : first.reason, /^Reloaded unbound and postfix and dovecot and .*rspamd\.$/);
    const bytes = size();
    writeFileSync(layout.settings, toml("6MB"));
    // Its files are those in force, so mail for the served domains still works.
    writeFileSync(layout.tlsCert, "rubbish\n");
    const second = await verbs.obey({ verb: "apply" });
    assert.match(second.ok ? second.detail : second.reason, /^Reloaded postfix and dovecot and spamass-milter\.$/);
    assert.notEqual(size(), bytes);
  });

  test("if tls.cert is removed from the settings, a missing self-signed certificate is created again", async () => {
    const own = `[tls]\ncert = "${join(layout.data, "cert.pem")}"\nkey = "${join(layout.data, "key.pem")}"\n`;
    const { cert } = ownCertificate(layout.data);
    writeFileSync(layout.settings, `${toml("6MB")}${own}`);
    assert.ok((await verbs.obey({ verb: "apply" })).ok);
    const served = (): string => readFileSync(servedFiles(layout).cert, "utf8");
    assert.equal(served().trim(), cert.trim());
    for (const file of [layout.tlsCert, layout.tlsKey]) rmSync(file);
    writeFileSync(layout.settings, toml("6MB"));
    assert.ok((await verbs.obey({ verb: "apply" })).ok);
    assert.equal(served(), readFileSync(layout.tlsCert, "utf8"));
  });

  test("a service that could not be reloaded is reloaded by the next one, even if the keeper restarted", async () => {
    const postfix = join(layout.services, "postfix");
    mkdirSync(postfix, { recursive: true });
    writeFileSync(layout.settings, toml("8MB"));
    for (const time of ["first", "second", "restarted"]) {
      const keeper = time === "restarted" ? new KeeperVerbs(layout, {}) : verbs;
      const failed = await keeper.obey({ verb: "apply" });
      assert.ok(!failed.ok && failed.mayBeDone === true, time);
      assert.match(failed.reason, /^postfix could not be reloaded/, time);
    }
    rmSync(postfix, { recursive: true });
    assert.ok((await verbs.obey({ verb: "apply" })).ok);
  });

  test("files that moved before others could not are read after the next one too", async () => {
    const postfix = join(layout.services, "postfix");
    mkdirSync(postfix, { recursive: true });
    const moved = `${layout.spamMilterConf}.moved`;
    renameSync(layout.spamMilterConf, moved);
    writeFileSync(layout.spamMilterConf, "");
    writeFileSync(layout.settings, toml("9MB"));
    const failed = await verbs.obey({ verb: "apply" });
    assert.ok(!failed.ok && failed.mayBeDone === true && size() === `${9 * 1024 * 1024}`);
    rmSync(layout.spamMilterConf);
    renameSync(moved, layout.spamMilterConf);
    const next = await verbs.obey({ verb: "apply" });
    assert.match(next.ok ? "" : next.reason, /^postfix could not be reloaded/);
    rmSync(postfix, { recursive: true });
    assert.ok((await verbs.obey({ verb: "apply" })).ok);
  });

  test("says that nothing is applied if a file that the settings name is missing", async () => {
    writeFileSync(layout.settings, `${toml("7MB")}[spam]\nrules = "/nonexistent/rules.cf"\n`);
    const refused = await verbs.obey({ verb: "apply" });
    assert.match(refused.ok ? "" : refused.reason, /rules\.cf/);
    assert.ok(!refused.ok && refused.mayBeDone === undefined);
  });

  test("other settings change without a named file that was there when it was named", async () => {
    const rules = join(layout.data, "rules.cf");
    const named = (bytes: string): string => `${toml(bytes)}[spam]\nrules = "${rules}"\n`;
    writeFileSync(rules, "score GTUBE 900\n");
    writeFileSync(layout.settings, named("7MB"));
    assert.ok((await verbs.obey({ verb: "apply" })).ok);
    rmSync(rules);
    writeFileSync(layout.settings, named("8MB"));
    const applied = await verbs.obey({ verb: "apply" });
    assert.match(
      applied.ok ? applied.detail : applied.reason,
      /rules\.cf of spam\.rules does not exist .* stays in use\.$/,
    );
    assert.equal(size(), `${8 * 1024 * 1024}`);
    assert.match(readFileSync(join(layout.spamAssassinConf, "own.cf"), "utf8"), /GTUBE 900/);
    writeFileSync(rules, "x".repeat(1024 * 1024 + 1));
    assert.ok(!(await verbs.obey({ verb: "apply" })).ok, "a file that is there and wrong");
    writeFileSync(layout.settings, toml("7MB"));
    assert.ok((await verbs.obey({ verb: "apply" })).ok);
  });

  test("says that something may be in force if a component refuses its files after Dovecot got its key", async () => {
    const encrypted = `${toml("7MB")}[mailboxes]\nencryption = "server"\n`;
    writeFileSync(layout.settings, `${encrypted}[dns]\nroot_hints = "/nonexistent/root.hints"\n`);
    const refused = await verbs.obey({ verb: "apply" });
    assert.match(refused.ok ? "" : refused.reason, /root\.hints/);
    assert.ok(existsSync(layout.mailKeyConf) && !refused.ok && refused.mayBeDone === true);
  });

  test("changes nothing if a component refuses its files, and names it", async () => {
    const before_ = size();
    writeFileSync(layout.settings, `${toml("7MB")}[dns]\nroot_hints = "/nonexistent/root.hints"\n`);
    const refused = await verbs.obey({ verb: "apply" });
    assert.match(refused.ok ? "" : refused.reason, /root\.hints/);
    assert.equal(size(), before_);
  });
});
