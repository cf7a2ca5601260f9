import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { makeCheapRepository } from "../../../test/kit/cheap-repository.ts";
import { dataToBackUp } from "../../../test/kit/data-to-back-up.ts";
import { contentOf, modeOf, put } from "../../../test/kit/files.ts";
import { tmpfs } from "../../../test/kit/mounts.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { done, reasonOf } from "../../../test/kit/reason-of.ts";
import type { Isolation } from "../../core/incident/incident.ts";
import { keepIsolation, readIsolation } from "../../host/firewall/isolation.ts";
import { publicHalf } from "../../mail/dovecot/mail-keys.ts";
import { layoutOf } from "../../settings/layout.ts";
import { openAccounts } from "../../store/open.ts";
import { openAnySchema } from "../../store/schemas.ts";
import { readLegalHolds, setLegalHold } from "../retention/retention.ts";
import { lackingFile, misplacedFiles, outsideText } from "./outside-files.ts";
import { changeBackupRecord, readBackupRecord } from "./records.ts";
import { asideOfMount, finishRestore } from "./replace-contents.ts";
import { readKey, repositoryOf } from "./repository.ts";
import { refusal, restoreServer } from "./restore.ts";

const ISOLATION: Isolation = { incident: "2026-11-20-x", since: "", allow: [], ssh: [22], shut: ["send"] };
const MAIL_KEY = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey.export({
  type: "pkcs8",
  format: "pem",
});
const HOLD = { account: "anna@example.test", since: "2026-11-20T06:00:00.000Z", reason: "a lawsuit" };

describe("a restore", { skip: lacking({ root: true, installed: ["restic"] }) }, () => {
  const { top, layout, settings, maildir, backUp, restoreTo } = dataToBackUp();
  before(async () => {
    put(join(maildir("anna"), "cur", "1:2,S"), "a mail");
    put(join(maildir("anna"), "cur", "2:2,S"), "a mail that is copied");
    linkSync(join(maildir("anna"), "cur", "2:2,S"), join(maildir("anna"), "cur", "3:2,S"));
    using accounts = openAccounts(layout.accountsDb);
    accounts.exec("INSERT INTO session VALUES ('d', 'id', 'Firefox', '203.0.113.7', 1, 1, 1, NULL)");
    put(layout.mailPublicKey, publicHalf(MAIL_KEY));
    makeCheapRepository(layout);
    done(await backUp());
  });

  test("contains files outside the data directory that the settings name, restores them to a separate directory, and says so", async () => {
    const certificate = join(top, "etc", "tls", "fullchain.pem");
    const key = join(layout.data, "certs", "key.pem");
    put(certificate, "a certificate");
    put(key, "a key");
    const link = join(layout.tls, "own.pem");
    mkdirSync(layout.tls, { recursive: true });
    symlinkSync(certificate, link);
    chmodSync(certificate, 0o640);
    chmodSync(key, 0o644);
    const named = {
      "tls.key": key,
      "tls.cert": certificate,
      "alerts.ca": join(top, "etc", "missing"),
      "alerts.ntfy_token_file": link,
      "spam.rules": top,
    };
    assert.ok((await backUp(named)).ok);
    const elsewhere = layoutOf(join(top, "with-files"));
    assert.ok((await restoreTo(elsewhere)).ok);
    assert.ok(existsSync(elsewhere.backupQueue), "though no mail was queued: it tells the next start of the restore");
    const kept = join(elsewhere.backupOutside, certificate);
    assert.deepEqual([contentOf(kept), modeOf(kept)], ["a certificate", 0o640]);
    const within = join(elsewhere.data, "certs", "key.pem");
    assert.deepEqual([contentOf(within), modeOf(within)], ["a key", 0o640], "in its place, not for all users");
    const linked = join(elsewhere.tls, "own.pem");
    assert.deepEqual([contentOf(linked), lstatSync(linked).isFile()], ["a certificate", true], "not as a link");
    const then = Date.now() + 60_000;
    assert.equal(lackingFile([link, key, certificate, top], layout, elsewhere, then), undefined);
    rmSync(linked);
    symlinkSync(certificate, linked);
    assert.equal(lackingFile([link], layout, elsewhere, then), link, "a link is not the file");
    rmSync(within);
    assert.equal(lackingFile([certificate, key], layout, elsewhere, then), key);
    assert.equal(outsideText(elsewhere), "", "it is still in its place");
    put(certificate, "another one");
    assert.deepEqual(misplacedFiles(elsewhere), [certificate]);
    rmSync(certificate);
    const says =
      /^ 1 file named in the settings is outside the data directory and was not overwritten: \S+fullchain\.pem\. /;
    assert.match(outsideText(elsewhere), says);
    execFileSync("bash", ["-c", /cp -rn .*$/.exec(outsideText(elsewhere))?.[0] ?? "exit 1"]);
    assert.deepEqual([contentOf(certificate), modeOf(certificate)], ["a certificate", 0o640]);
    assert.equal(outsideText(elsewhere), "");
    put(elsewhere.settings, `domains = ["example.test"]\nalerts.ntfy_token_file = "${certificate}"\n`);
    const grants = `\nOnce the server has started, let it read its files: chgrp ghostinbox ${certificate}; chmod g+r ${certificate}`;
    assert.equal(outsideText(elsewhere), grants);
    rmSync(certificate);
    assert.ok(outsideText(elsewhere).endsWith(`/. /${grants}`), "it will be there");
    rmSync(kept);
    assert.equal(outsideText(elsewhere), "", "the file does not exist");
    put(certificate, "a certificate");
    chmodSync(certificate, 0o644);
    assert.equal(outsideText(elsewhere), "", "all users can read it");
  });

  test("restores nothing if the key cannot be stored", async () => {
    const target = layoutOf(join(top, "without-a-record"));
    const fetch = async (to: string) => {
      const restored = await repositoryOf(layout, settings).restore("latest", { to, watch: () => undefined });
      mkdirSync(layoutOf(to).backupRecord, { recursive: true });
      return restored;
    };
    const restored = await restoreServer(target, fetch, { key: readKey(layout), replaces: false });
    assert.match(reasonOf(restored), /^Nothing was restored: /);
    assert.ok(!existsSync(target.data));
  });

  test("a failure that the next start repairs names where the former server is kept", async () => {
    const target = layoutOf(join(top, "in-the-way"));
    put(target.settings, "");
    put(join(target.backupRepository, "config"), "");
    put(target.mailPrivateKey, MAIL_KEY);
    const wrong = "backup/repository/unexpected";
    const fetch = async (to: string) => {
      const restored = await repositoryOf(layout, settings).restore("latest", { to, watch: () => undefined });
      put(join(to, wrong), "");
      return restored;
    };
    const restored = await restoreServer(target, fetch, { key: "k", replaces: true });
    assert.ok(!restored.ok);
    const { aside, reason, variables } = restored;
    assert.deepEqual(variables, [], "as in the manifest");
    const says = `The restore is not complete; the next start continues it, and keeps what was there before in ${aside}: `;
    assert.ok(reason.startsWith(says), reason);
    assert.throws(() => finishRestore(target.data));
    rmSync(join(target.data, wrong));
    assert.ok(finishRestore(target.data));
    assert.ok(existsSync(join(aside ?? "", "ghostinbox.toml")));
    assert.ok(existsSync(join(target.backupRepository, "config")));
    assert.equal(readKey(target), "k");
    assert.deepEqual([contentOf(target.mailPrivateKey), modeOf(target.mailPrivateKey)], [MAIL_KEY, 0o600]);
  });

  test("sessions of the dashboard are not restored", async () => {
    const target = layoutOf(join(top, "without-sessions"));
    assert.ok((await restoreTo(target)).ok);
    using accounts = openAnySchema(target.accountsDb);
    assert.equal(accounts.prepare("SELECT count(*) AS n FROM session").get()?.["n"], 0);
  });

  test("refuses to restore if the backups are a separate mount, and names it", () => {
    const target = layoutOf(join(top, "with-a-volume"));
    const refused = (mount: string, replaces: boolean): string | null => {
      using disk = tmpfs(join(target.data, mount));
      return refusal(layoutOf(join(disk.path, "..")), replaces);
    };
    for (const replaces of [false, true])
      assert.match(refused("backup", replaces) ?? "", /with-a-volume\/backup is a separate mount, .* unmount it/);
    rmSync(target.backup, { recursive: true });
    assert.equal(refused("run", false), null, "nothing of run is restored");
  });

  test("restores mail and logs into their separate mounts; the former contents move aside within them", async () => {
    const target = layoutOf(join(top, "as-in-a-container"));
    const logs = join(target.log, "mail");
    const old = "example.test/anna/Maildir/cur/1:2,S";
    using mounts = new DisposableStack();
    for (const path of [target.data, target.mail, logs]) mounts.use(tmpfs(path));
    assert.equal(refusal(target, false), null, "an empty one, as Docker makes it");
    assert.ok((await restoreTo(target, { key: "k" })).ok);
    const copies = ["2:2,S", "3:2,S"].map((name) => statSync(join(target.mail, dirname(old), name)).ino);
    assert.equal(copies[0], copies[1], "copies of a mail take no more space than before");
    put(join(target.mail, old), "another mail");
    put(join(logs, "mail.log"), "later");
    put(join(target.data, "later"), "");
    // As a start does.
    chownSync(target.mail, 54_321, 54_321);
    assert.match(refusal(target, false) ?? "", /is not empty\. Use --replace/);
    const aside = basename(done(await restoreTo(target, { key: "k", replaces: true })).aside ?? "");
    assert.equal(contentOf(join(target.mail, old)), "a mail");
    assert.equal(contentOf(join(target.mail, asideOfMount(aside), old)), "another mail");
    assert.equal(contentOf(join(logs, asideOfMount(aside), "mail.log")), "later");
    assert.ok(existsSync(join(target.data, aside, "later")) && !existsSync(join(target.data, "later")));
    assert.deepEqual(globSync("{.,mail,log/mail}/.restoring", { cwd: target.data }), []);
  });

  test("restores a directory behind a link, and one on a separate disk, within it; the former contents move aside", async () => {
    mkdirSync(join(top, "behind"));
    symlinkSync(join(top, "behind"), join(top, "link"));
    using disk = tmpfs(join(top, "mounted"));
    for (const [target, isKeySeen] of [
      [layoutOf(join(top, "link")), true],
      [layoutOf(disk.path), false],
    ] as const) {
      assert.ok((await restoreTo(target, { key: "k" })).ok, target.data);
      assert.ok(readBackupRecord(target).isKeySeen, "the owner gave the key");
      changeBackupRecord(target, { isKeySeen });
      put(target.mailPrivateKey, MAIL_KEY);
      put(join(target.data, "later"), "");
      assert.match(refusal(target, false) ?? "", /is not empty\. Use --replace/);
      keepIsolation(target, ISOLATION);
      setLegalHold(target.legalHolds, HOLD);
      put(join(target.incidents, "2026-11-20-x", "incident.json"), "{}");
      const again = done(await restoreTo(target, { key: "k", replaces: true }));
      assert.ok(existsSync(join(again.aside ?? "", "later")) && !existsSync(join(target.data, "later")));
      assert.deepEqual([readKey(target), readBackupRecord(target).isKeySeen], ["k", isKeySeen]);
      assert.equal(contentOf(target.mailPrivateKey), MAIL_KEY, "no backup holds it");
      assert.deepEqual(readIsolation(target), ISOLATION, "a restore does not lift an isolation");
      assert.deepEqual(readLegalHolds(target.legalHolds), [HOLD], "nor a legal hold that is newer than the backup");
      assert.equal(contentOf(join(target.incidents, "2026-11-20-x", "incident.json")), "{}");
      assert.equal(contentOf(join(target.mail, "example.test/anna/Maildir/cur/1:2,S")), "a mail");
      assert.deepEqual(globSync("{.restoring,before-*}", { cwd: target.data }), [basename(again.aside ?? "")]);
    }
    assert.ok(existsSync(join(top, "behind", "mail")), "the link is still a link");
  });
});
