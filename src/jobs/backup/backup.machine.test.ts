import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { makeCheap, makeCheapRepository } from "../../../test/kit/cheap-repository.ts";
import { dataToBackUp } from "../../../test/kit/data-to-back-up.ts";
import { contentOf, modeOf, put } from "../../../test/kit/files.ts";
import { tmpfs } from "../../../test/kit/mounts.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { DOVECOT, realDovecot } from "../../../test/kit/real-dovecot.ts";
import { done, reasonOf } from "../../../test/kit/reason-of.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { columnOf } from "../../../test/kit/test-database.ts";
import { ghostinbox, ghostinboxProcess, start } from "../../../test/kit/test-guard.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { freeBytesAt } from "../../host/root-files/disks.ts";
import { takeLock } from "../../host/running/data-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { openAccounts } from "../../store/open.ts";
import { createBackup } from "./create.ts";
import { archiveIn, exportArchive, readArchive } from "./export.ts";
import { hasUsedPlace, readBackupRecord } from "./records.ts";
import { memoryDirectory, placeOf, readEnvironment, readKey, repositoryOf, scratchOf } from "./repository.ts";
import { readManifest, refusal, restoreServer } from "./restore.ts";
import { importMails, restoreMailbox } from "./restore-mailbox.ts";
import { createStage } from "./stage.ts";

const quiet = () => undefined;
const [ANNA, BERT] = ["anna@example.test", "bert@example.test"];

describe("a backup", { skip: lacking({ root: true, installed: ["restic", "setpriv", "gpg", "gpgconf"] }) }, () => {
  const { top, layout, settings, maildir: maildirOf, backUp, restoreTo } = dataToBackUp();
  const maildir = maildirOf("anna");
  {
    using accounts = openAccounts(layout.accountsDb);
    accounts.exec("INSERT INTO account (name, password, created_at) VALUES ('anna@example.test', '{PLAIN}x', 1)");
  }
  put(join(maildir, "cur", "1:2,S"), "a mail");
  put(join(maildir, ".Junk", "new", "2"), "another");
  put(join(maildir, "tmp", "half"), "not yet a mail");
  // An account name may contain these.
  put(join(maildirOf("tmp"), "cur", "3:2,"), "a third");
  put(join(maildir, "dovecot-keywords"), "0 work\n");
  put(join(maildir, "dovecot.index.log"), "made again");
  put(join(layout.postfixQueue, "deferred", "A", "A123"), "queued");

  test("contains mails, queue, databases and settings, and nothing half delivered", async () => {
    const made = done(await backUp());
    assert.deepEqual([made.isKeyNew, made.backup.mails, made.place], [true, 4, layout.backupRepository]);
    assert.equal(readBackupRecord(layout).last?.snapshot, made.backup.snapshot);
    assert.ok(!readBackupRecord(layout).isKeySeen, "`backup create` shows it later");
    assert.ok(!existsSync(layout.backupStage));
    assert.equal(modeOf(layout.backupKey), 0o600);
    makeCheap(layout.backupRepository, readKey(layout) ?? "");
    const read = done(await readManifest(repositoryOf(layout, settings), made.backup.snapshot));
    assert.deepEqual([read.manifest.mails, read.manifest.queued, read.manifest.host], [3, 1, "mail.example.test"]);
    const again = await backUp();
    assert.ok(again.ok && !again.isKeyNew);
  });

  test("counts its key as seen only once all of it was written", async () => {
    const full = await start(layout, "sh", ["-c", "exec ./ghostinbox backup key > /dev/full"]).ended;
    assert.match(full.err, /^The key could not be written out, so it does not count as displayed: .*ENOSPC/);
    assert.deepEqual([full.code, readBackupRecord(layout).isKeySeen], [1, false]);
    const shown = await ghostinboxProcess(layout, ["backup", "key"]);
    assert.deepEqual([shown.out.trim(), readBackupRecord(layout).isKeySeen], [readKey(layout), true]);
  });

  test("whose key could not be written out is made anyway, and the failure is reported", async () => {
    const first = dataToBackUp();
    const full = await start(first.layout, "sh", ["-c", "exec ./ghostinbox backup create > /dev/full"]).ended;
    const says =
      /^The key could not be written out, .*ENOSPC.* The backup was made; show its key: \.\/ghostinbox backup key$/m;
    assert.match(full.err, says);
    assert.notEqual(readBackupRecord(first.layout).last, null);
  });

  test("that cannot be reached is not called damaged", async () => {
    const elsewhere = { GHOSTINBOX_BACKUP__REPOSITORY: join(top, "unmounted") };
    const { code, err } = await ghostinbox(layout, ["backup", "verify"], "", elsewhere);
    assert.match(err, /^The backups in \S+unmounted could not be checked: .*\. Fix that and try again\.$/m);
    assert.equal(code, 1);
  });

  test("a dry run names a disk that is too small to restore to", async () => {
    using disk = tmpfs(temporaryDirectory(), "size=16k");
    const keyFile = join(temporaryDirectory(), "key.txt");
    put(keyFile, `${readKey(layout)}\n\nwith which our backups are read\n`);
    const from = ["--from", layout.backupRepository, "--key-file", keyFile];
    const restore = (to: string) => ghostinbox(layoutOf(to), ["backup", "restore", "--dry-run", ...from]);
    const [small, beside] = [await restore(disk.path), await restore(join(top, "not", "there"))];
    assert.equal(beside.code, 0, beside.err);
    const says = / But: The restore needs \d+ MB, and the disk of \S+ has [01] MB left\. Nothing was changed\.$/m;
    assert.match(small.out, says, small.err);
  });

  for (const [what, long] of [
    ["queue", join(layout.postfixQueue, "deferred", "B", "B123")],
    ["evidence of an incident", join(layout.incidents, "1", "bundle.tar.gz")],
  ] as const)
    test(`copies no ${what} for which the disk has no space`, async () => {
      put(long, "");
      execFileSync("truncate", ["--size=8T", long]);
      const given = { file: join(top, "long", "archive"), passphrase: "unused", settings, watch: quiet };
      put(join(layout.backupStage, "left"), "by a kill");
      const made = await backUp();
      assert.ok(!existsSync(layout.backupStage), "the next backup may have the space");
      const exported = await exportArchive(layout, given);
      rmSync(long);
      for (const refused of [made, exported])
        assert.match(reasonOf(refused), /^A backup needs 83\d{5} MB on the disk of /);
    });

  test("that does not fit on its disk leaves as much space as before", async () => {
    const small = dataToBackUp();
    using disk = tmpfs(small.layout.backupRepository, "size=100m");
    makeCheapRepository(small.layout);
    assert.ok((await small.backUp()).ok);
    const before = freeBytesAt(disk.path);
    put(join(small.maildir("anna"), "cur", "1:2,S"), randomBytes(100 << 20));
    assert.match(reasonOf(await small.backUp()), /^Nothing was stored in \S+: no space is left on the disk\.$/);
    const left = freeBytesAt(disk.path);
    assert.ok(before - left < 1 << 20, `${left} bytes are left of ${before}`);
  });

  test("to a disk with less space than its databases need leaves the disk untouched", async () => {
    const small = dataToBackUp();
    using disk = tmpfs(small.layout.backupRepository, "size=100m");
    makeCheapRepository(small.layout);
    assert.ok((await small.backUp()).ok);
    put(join(small.layout.log, "mail", "mail.log"), randomBytes(50 << 20));
    const files = () => globSync("**", { cwd: disk.path }).length;
    const before = files();
    const says = /^A backup needs 11\d MB on the disk of \S+, which has \d+ MB left\.$/;
    assert.match(reasonOf(await small.backUp()), says);
    assert.equal(files(), before);
  });

  test("is restored into an empty place; everything belongs to root until the next start", async () => {
    const elsewhere = layoutOf(join(top, "elsewhere"));
    // Set-up has run here, and recorded what it installed.
    put(join(elsewhere.data, "installed-packages"), "restic\n");
    assert.equal(refusal(elsewhere, false), null);
    assert.match(refusal(layout, false) ?? "", /is not empty\. Use --replace/);
    const key = readKey(layout) ?? "";
    const fetch = async (to: string) => {
      const restored = await repositoryOf(layout, settings).restore("latest", { to, watch: quiet });
      // Earlier versions backed these up.
      for (const name of ["dovecot-uidlist", "dovecot-uidvalidity.6b0dc7cd", ".Junk/dovecot-uidlist"])
        put(join(layoutOf(to).mail, "example.test", "anna", "Maildir", name), "3 V1 N3\n");
      return restored;
    };
    done(await restoreServer(elsewhere, fetch, { key, replaces: false }));
    assert.deepEqual(globSync("*", { cwd: top }).toSorted(), ["data", "elsewhere"]);
    assert.equal(contentOf(join(elsewhere.data, "installed-packages")), "restic\n");
    const mails = join(elsewhere.mail, "example.test", "anna", "Maildir");
    assert.equal(contentOf(join(mails, "cur", "1:2,S")), "a mail");
    assert.equal(contentOf(join(mails, ".Junk", "new", "2")), "another");
    for (const gone of ["tmp", "dovecot.index.log"]) assert.ok(!existsSync(join(mails, gone)), gone);
    assert.deepEqual(globSync("{,.Junk/}dovecot-*", { cwd: mails }), ["dovecot-keywords"], "new mail gets new UIDs");
    assert.equal(contentOf(join(elsewhere.backupQueue, "deferred", "A", "A123")), "queued");
    using db = new DatabaseSync(elsewhere.accountsDb, { readOnly: true });
    assert.deepEqual(columnOf(db, "SELECT name FROM account"), ["anna@example.test"]);
    assert.equal(readKey(elsewhere), key);
    const owners = globSync("**", { cwd: elsewhere.data }).map((path) => statSync(join(elsewhere.data, path)).uid);
    assert.deepEqual(new Set(owners), new Set([0]));
    // No process can have this number (proc(5), pid_max).
    const keysLeft = "/run/ghostinbox-keys.4194999-5";
    mkdirSync(keysLeft, { recursive: true });
    const restoreMails = (to: typeof layout, account: string, interrupted = new AbortController().signal) => {
      const selection = { account, folder: null, messageId: null };
      const asked = { selection, folder: "Restored", keys: ["a private key"], interrupted };
      return restoreMailbox(to, repositoryOf(layout, settings), { snapshot: "latest", watch: quiet, ...asked });
    };
    using full = tmpfs(temporaryDirectory(), "size=4k");
    put(join(full.path, "mail"), randomBytes(4_096));
    const lacking = await restoreMails(layoutOf(full.path), "anna@example.test");
    assert.match(reasonOf(lacking), /^The restore needs [01] MB, and the disk of \S+ has 0 MB left\.$/);
    const gone = await restoreMails(elsewhere, "bert@example.test");
    assert.deepEqual(gone, {
      ok: false,
      reason: "The snapshot latest has no mail of bert@example.test.",
      isMissing: true,
    });
    assert.ok(!existsSync(keysLeft), "keys of a killed restore");
    const ended = await restoreMails(elsewhere, "anna@example.test", AbortSignal.abort());
    assert.deepEqual(ended, { ok: false, reason: "Interrupted: nothing was restored." });
    assert.deepEqual([existsSync(memoryDirectory("keys")), existsSync(scratchOf(elsewhere))], [false, false]);
  });

  test("a snapshot of something else is refused, and nothing is replaced", async () => {
    const restic = repositoryOf(layout, settings);
    put(join(top, "foreign", "x"), "x");
    assert.ok((await restic.backup(join(top, "foreign"), { host: "other", tag: "nightly", watch: quiet })).ok);
    const target = layoutOf(join(top, "target"));
    const reason = "Nothing was restored: the snapshot is not one of this program's.";
    assert.deepEqual(await restoreTo(target, { key: "k" }), { ok: false, reason });
    for (const path of [target.data, `${target.data}.restoring`]) assert.ok(!existsSync(path), path);
  });

  test("runs one at a time, and records failures", async () => {
    takeLock(layout.backupLock);
    const expected = `A backup, restore drill or verification is already running (pid ${process.pid}).`;
    assert.equal(reasonOf(await backUp()), expected);
    rmSync(layout.backupLock);
    const lost = reasonOf(await backUp({ "backup.repository": "/dev/null/x" }));
    assert.match(lost, /^\/dev\/null\/x cannot be used: /);
    assert.equal(readBackupRecord(layout).failure?.reason, lost);
    assert.notEqual(readBackupRecord(layout).last, null);
  });

  test("gpg and tar are enough to read an archive, and to restore it; a wrong passphrase and damage are reported", async () => {
    const passphrase = "seven unrelated words";
    const file = archiveIn(top, new Date("2026-11-20T08:00:00Z"));
    assert.equal(file, join(top, "email-20261120", "email-backup.tar.gz.gpg"));
    const given = { file, passphrase, settings, watch: quiet };
    done(await exportArchive(layout, given));
    assert.equal(modeOf(file), 0o600);
    assert.equal(reasonOf(await exportArchive(layout, given)), `${file} already exists; choose another file.`);
    const home = join(top, "gnupg");
    mkdirSync(home, { mode: 0o700 });
    const gpg = `gpg --homedir ${home} --batch --pinentry-mode loopback --passphrase "${passphrase}" -d ${file} 2>/dev/null | tar -tz`;
    const listed = execFileSync("bash", ["-c", gpg], { encoding: "utf8" });
    assert.match(listed, /^\.\/mail\/example\.test\/anna\/Maildir\/cur\/1:2,S$/m);
    execFileSync("gpgconf", ["--homedir", home, "--kill", "gpg-agent"]);
    const other = layoutOf(join(top, "from-archive"));
    const restoreFrom = (archive: string, secret: string) =>
      restoreServer(other, (to) => readArchive({ file: archive, passphrase: secret, to, watch: quiet }), {
        key: null,
        replaces: false,
      });
    const wrong = await restoreFrom(file, "another");
    assert.deepEqual(wrong, { ok: false, reason: "Nothing was restored: the passphrase does not open it." });
    const short = join(top, "short.gpg");
    put(short, readFileSync(file).subarray(0, 2_000));
    const damaged = await restoreFrom(short, passphrase);
    assert.deepEqual(damaged, { ok: false, reason: "Nothing was restored: it is damaged." });
    assert.ok(!existsSync(other.data));
    done(await restoreFrom(file, passphrase));
    assert.equal(contentOf(join(other.mail, "example.test", "anna", "Maildir", "cur", "1:2,S")), "a mail");
    assert.ok(!existsSync(memoryDirectory("gpg")));
  });

  test("does not start over an existing backup, nor with a key that does not match", async () => {
    const place = join(top, "disk");
    const there = { "backup.repository": place };
    makeCheapRepository({ ...layout, backupRepository: place });
    assert.ok((await backUp(there)).ok);
    const carried = layoutOf(join(top, "carried"));
    const latest = (to: string) =>
      repositoryOf(layout, { ...settings, ...there }).restore("latest", { to, watch: quiet });
    assert.ok((await restoreServer(carried, latest, { key: null, replaces: false })).ok);
    assert.ok(hasUsedPlace(carried, place) && !hasUsedPlace(carried, layout.backupRepository));
    rmSync(place, { recursive: true });
    const gone = /^The backups in \S+ are gone, so no new one is started there: is its disk mounted\?/;
    assert.match(reasonOf(await backUp(there)), gone);
    assert.ok(!existsSync(place));
    // As if `backup` were a disk that is not mounted.
    renameSync(layout.backup, `${layout.backup}.away`);
    assert.match(reasonOf(await backUp()), gone);
    assert.equal(readKey(layout), null, "no second key");
    rmSync(layout.backup, { recursive: true });
    renameSync(`${layout.backup}.away`, layout.backup);
    const keyless = layoutOf(join(top, "from-archive"));
    const taken = { ...settings, "backup.repository": layout.backupRepository };
    const foreign = await createBackup(keyless, taken, { tag: "by-hand", watch: quiet });
    assert.match(reasonOf(foreign), /holds backups already, but this machine does not have their key/);
    assert.equal(readKey(keyless), null);
  });

  test("a missing or damaged database fails the backup", async () => {
    const whole = readFileSync(layout.accountsDb);
    put(layout.accountsDb, whole.subarray(0, 100));
    assert.match(reasonOf(await backUp()), /accounts\.db/);
    put(layout.accountsDb, whole);
  });

  test("files left by a killed backup do not disturb the next one", async () => {
    const stage = createStage(layout, []);
    await stage.build({ at: 1, host: "h" });
    put(join(stage.path(), "left"), "by a kill");
    assert.ok((await backUp()).ok);
  });

  test("a password in the address is not shown; credentials come from a file", () => {
    assert.equal(placeOf(layout, { "backup.repository": "rest:https://me:sec@ret@host/x" }), "rest:https://…@host/x");
    const file = join(top, "credentials");
    put(
      file,
      `# of the bucket
set -a
AWS_ACCESS_KEY_ID=abc#1 \nexport B2_ACCOUNT_ID="d e"
B2_ACCOUNT_KEY="abc" # the key
X='a=b';
export X B2_ACCOUNT_KEY
Y="
Z=
PADDED=" a "\r
`,
    );
    const aws = { AWS_ACCESS_KEY_ID: "abc#1", B2_ACCOUNT_ID: "d e", B2_ACCOUNT_KEY: "abc" };
    assert.deepEqual(readEnvironment(file), { ...aws, X: "a=b", Y: '"', Z: "", PADDED: " a " });
    for (const line of ["AWS_SECRET_ACCESS_KEY = secret", 'X="a', "X='a' b", "export X b/c", 'X="a"#b']) {
      put(file, `X=1\n${line}\n`);
      assert.throws(() => readEnvironment(file), { message: `line 2 of ${file} is not NAME=value` }, line);
    }
  });
});

describe("restored mails", { skip: lacking(DOVECOT) }, () => {
  const { top, conf, doveadm, start: startDovecot, stop } = realDovecot([ANNA, BERT]);
  const maildir = join(top, "mail", BERT, "Maildir");
  const mailsOf = (folder: string): number => doveadm(["search", "-u", ANNA, "MAILBOX", folder]).split("\n").length - 1;
  type Mails = Readonly<{ folder?: string; messageId?: string; into?: string }>;
  const restore = (asked: Mails, during: () => unknown = quiet) => {
    const selection = { account: ANNA, folder: asked.folder ?? null, messageId: asked.messageId ?? null };
    const run = async (...args: readonly string[]) => {
      const ran = await runProgram("doveadm", ["-c", conf, ...args]);
      if (args[0] === "import") during();
      return ran;
    };
    const folder = asked.into ?? "Old";
    return importMails(run, maildir, { selection, folder, interrupted: new AbortController().signal });
  };
  before(async () => {
    await startDovecot();
    for (const folder of ["Archive", "Archive.2024"]) doveadm(["mailbox", "create", "-u", BERT, folder]);
    for (const id of ["<1@x>", "<2@x>", "<3@x>"])
      doveadm(["save", "-u", BERT, "-m", id === "<3@x>" ? "INBOX" : "Archive.2024"], `Message-ID: ${id}\n\n`);
  });
  after(stop);

  test("are counted in the backup: all, those of a folder, or one; an earlier restore adds none", async () => {
    assert.deepEqual(await restore({}), { ok: true, mails: 3 });
    assert.deepEqual(await restore({ folder: "Archive.2024" }), { ok: true, mails: 2 });
    assert.deepEqual(await restore({ folder: "Archive*" }), { ok: true, mails: 2 });
    assert.deepEqual(await restore({ messageId: "<3@x>" }), { ok: true, mails: 1 });
    assert.deepEqual([mailsOf("Old.INBOX"), mailsOf("Old.Archive.2024")], [2, 6]);
    for (const nothing of [{ folder: "Archive" }, { messageId: "<4@x>" }])
      assert.deepEqual(await restore(nothing), { ok: true, mails: 0 });
    const reason = `The backup has no folder “Never” of ${ANNA}.`;
    assert.deepEqual(await restore({ folder: "Never" }), { ok: false, reason, isMissing: true });
  });

  test("are named with the separator of this server", async () => {
    const reason = "Nothing was restored: write “Archive.2024”, not “Archive/2024”.";
    for (const asked of [{ folder: "Archive/2024" }, { into: "Archive/2024" }])
      assert.deepEqual(await restore(asked), { ok: false, reason });
    const ofPattern = "Nothing was restored: write “Archive.*”, not “Archive/*”.";
    assert.deepEqual(await restore({ folder: "Archive/*" }), { ok: false, reason: ofPattern });
    assert.deepEqual(await restore({ folder: "Never.*" }), { ok: true, mails: 0 });
  });

  test("are still counted if a client moves them at once", async () => {
    const moves = () => doveadm(["expunge", "-u", ANNA, "MAILBOX", "Old.INBOX", "ALL"]);
    assert.deepEqual(await restore({ messageId: "<3@x>" }, moves), { ok: true, mails: 1 });
    assert.equal(mailsOf("Old.INBOX"), 0);
  });

  test("are none if Dovecot cannot read the backup", async () => {
    const run = () => Promise.resolve({ code: 75, stdout: "", stderr: "Fatal: no memory" });
    const selection = { account: ANNA, folder: null, messageId: null };
    const asked = { selection, folder: "Old", interrupted: new AbortController().signal };
    const reason = "Nothing was restored: Fatal: no memory";
    assert.deepEqual(await importMails(run, maildir, asked), { ok: false, reason });
  });
});
