import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, existsSync, globSync, mkdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { makeCheapRepository } from "../../../test/kit/cheap-repository.ts";
import { dataToBackUp } from "../../../test/kit/data-to-back-up.ts";
import { modeOf, put } from "../../../test/kit/files.ts";
import { tmpfs } from "../../../test/kit/mounts.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { writeToday } from "../../../test/kit/next-version.ts";
import { done, reasonOf } from "../../../test/kit/reason-of.ts";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { takeLock } from "../../host/running/data-directory.ts";
import { addUsers } from "../../mail/configuration/directories.ts";
import { RUN } from "../../programs/backup/serve-scratch.ts";
import { layoutOf } from "../../settings/layout.ts";
import { installPrograms } from "../build/program.ts";
import { checkRestored, keysTrouble, settingsTrouble } from "./check-restored.ts";
import { drillRestore } from "./drill.ts";
import { parseManifest } from "./manifest.ts";
import { changeDrills, type Drill, readDrills } from "./records.ts";
import { repositoryOf } from "./repository.ts";

const watch = (): void => undefined;
const MAILS = 150;

describe("a restore drill", {
  skip: lacking({ root: true, installed: ["restic", "unshare", "postconf", "dovecot", "runsvdir"] }),
}, () => {
  const { top, layout, settings, maildir, backUp } = dataToBackUp();
  rmSync(layout.accountsDb);
  writeToday("accounts", layout.accountsDb);
  for (let i = 0; i < MAILS; i++) put(join(maildir("anna"), "cur", `${i}:2,S`), `mail ${i}`);
  put(join(maildir("bert"), ".Junk", "new", "x"), "junk");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  put(join(layout.dkimKeys, "example.test.mail.pem"), key);
  before(async () => {
    await addUsers();
    await installPrograms(layout);
  });
  const drill = async (): Promise<Drill> => {
    const outcome = done(await drillRestore(layout, settings, { env: {}, watch, says: watch }));
    assert.ok(!existsSync(layout.backupDrill), "no files are left");
    assert.deepEqual(readDrills(layout).drills.at(-1), outcome.drill);
    assert.equal(readDrills(layout).begun, null);
    return outcome.drill;
  };

  test("nothing that sends mail runs in a second server", () => assert.deepEqual(RUN, ["guard", "dovecot"]));

  test("fails without a backup, and says so", async () => {
    assert.match((await drill()).reason ?? "", /cannot be read/);
    assert.equal(modeOf(layout.backupDrills), 0o600);
  });

  test("counts and compares everything; mail that was deleted since is not a failure", async () => {
    makeCheapRepository(layout);
    const made = done(await backUp());
    for (let i = 0; i < MAILS; i += 2) rmSync(join(maildir("anna"), "cur", `${i}:2,S`));
    const { reason, found, snapshot } = await drill();
    assert.equal(reason, null);
    assert.equal(snapshot, made.backup.snapshot.slice(0, 8));
    assert.ok(found !== null && found.server !== null);
    const { same, gone, server, ...counted } = found;
    assert.ok(gone > 0 && same > 0, `${gone} gone, ${same} the same`);
    assert.equal(same + gone, 100);
    const counts = { queued: 0, accounts: 1, aliases: 1, bans: 0, tokens: 0, different: 0 };
    assert.deepEqual(counted, { mails: MAILS + 1, mailboxes: 2, ...counts });
    const { startMs, ...seen } = server;
    assert.deepEqual(seen, { mails: MAILS, signedIn: "anna@example.test", aliases: 1, bans: 0 });
    assert.ok(startMs > 0);
  });

  test("if no namespace can be made, compares the copy without a second server", () => {
    const program = `
      import { drillRestore } from ${JSON.stringify(join(import.meta.dirname, "drill.ts"))};
      import { layoutOf } from ${JSON.stringify(join(CHECKOUT, "src/settings/layout.ts"))};
      const quiet = () => undefined;
      const options = { env: {}, watch: quiet, says: quiet };
      console.log(JSON.stringify(await drillRestore(layoutOf(process.argv[1]), JSON.parse(process.argv[2]), options)));`;
    const node = [process.execPath, ...process.execArgv, "--input-type=module-typescript", "-e", program];
    // As in most containers: root may not create namespaces (capabilities(7)).
    const argv = ["--bounding-set", "-sys_admin", ...node, layout.data, JSON.stringify(settings)];
    assert.match(execFileSync("setpriv", argv, { encoding: "utf8" }), /"reason":null,.*"mails":[1-9].*"server":null/);
  });

  test("reports a mail that differs, a missing DKIM key and one account's missing mails", async () => {
    for (let i = 1; i < MAILS; i += 2) put(join(maildir("anna"), "cur", `${i}:2,S`), "bit rot");
    const says = /^\d+ of 100 mails differ from the originals in the mailboxes; first: mail\/exa/;
    assert.match((await drill()).reason ?? "", says);
    const stage = join(top, "stage");
    mkdirSync(stage);
    const restic = repositoryOf(layout, settings);
    assert.ok((await restic.restore("latest", { to: stage, watch })).ok);
    const restored = layoutOf(stage);
    const checked = done(checkRestored(restored));
    assert.deepEqual(checked.manifest.accounts, { "anna@example.test": MAILS, "bert@example.test": 1 });
    const trouble = () => keysTrouble(restored, layout, Date.now());
    assert.equal(trouble(), null);
    put(join(restored.dkimKeys, "example.test.mail.pem"), "no key");
    assert.equal(trouble(), "the DKIM key example.test.mail.pem cannot be read");
    rmSync(join(restored.dkimKeys, "example.test.mail.pem"));
    assert.equal(trouble(), "the DKIM key example.test.mail.pem is missing or different");
    assert.equal(keysTrouble(restored, layout, 0), null);
    put(join(restored.tlsServed, "cert.pem"), "x");
    assert.match(trouble() ?? "", /^its certificate cannot be used: /);
    put(restored.settings, "domain = 1\n");
    const tells = /^its settings are wrong: domain is not a setting/;
    assert.match(settingsTrouble(restored, layout, Date.now(), {}) ?? "", tells);
    // A snapshot whose description has more mails of the account.
    rmSync(join(restored.mail, "example.test", "bert"), { recursive: true });
    assert.ok((await restic.backup(stage, { host: "h", tag: "nightly", watch })).ok);
    assert.equal((await drill()).reason, "bert@example.test had 1 mail and has 0 after the restore");
  });

  test("files left by a kill are removed by the next backup or drill", async () => {
    const left = (): void => {
      put(join(layout.backupDrill, "mail", "half"), "by a kill");
      changeDrills(layout, { begun: 1 });
    };
    left();
    await drill();
    left();
    assert.ok((await backUp()).ok);
    assert.ok(!existsSync(layout.backupDrill));
    assert.deepEqual(globSync("lock*", { cwd: layout.backup }), []);
  });

  test("too little disk space is reported before anything is written", async () => {
    const small = layoutOf(join(top, "small"));
    using disk = tmpfs(small.backup, "size=8m");
    copyFileSync(layout.backupKey, small.backupKey);
    const there = { ...settings, "backup.repository": layout.backupRepository };
    const outcome = await drillRestore(small, there, { env: {}, watch, says: watch });
    const lacks = /^the restore needs \d+ MB, and the disk of \S+small\/backup has [1-8] MB left$/;
    assert.match((outcome.ok && outcome.drill.reason) || disk.path, lacks);
    assert.ok(!existsSync(small.backupDrill));
  });

  test("a damaged snapshot is reported in one sentence, and none of its files are left", async () => {
    for (const pack of globSync(join(layout.backupRepository, "data/*/*"))) truncateSync(pack, 100);
    assert.match((await drill()).reason ?? "", /it is damaged$/);
  });

  test("runs one at a time, and reports a damaged database or an invalid manifest", async () => {
    takeLock(layout.backupLock);
    const second = reasonOf(await drillRestore(layout, settings, { env: {}, watch, says: watch }));
    assert.equal(second, `A backup, restore drill or verification is already running (pid ${process.pid}).`);
    rmSync(layout.backupLock);
    const broken = layoutOf(join(top, "broken"));
    assert.equal(reasonOf(checkRestored(broken)), "the snapshot is not one of this program's");
    assert.equal(parseManifest('{"format":2}'), null);
    const manifest = { format: 1, at: 1, host: "h", version: "1", data: "/d", mails: 0, queued: 0 };
    put(join(broken.data, "backup.json"), JSON.stringify(manifest));
    put(broken.engineDb, "x".repeat(8_192));
    assert.match(reasonOf(checkRestored(broken)), /^engine\.db of the snapshot is damaged \(.*not a database\)$/);
  });
});
