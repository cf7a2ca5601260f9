// Invariant: A restore drill reaches neither the world nor the running server, and ends with its command.

import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { makeCheap } from "../kit/cheap-repository.ts";
import { patience } from "../kit/patience.ts";
import { damagedCopy } from "../lab/damaged-copy.ts";
import { encryptByAccount, encryptedMail } from "../lab/encrypted-mail.ts";
import { besideData, endedRestores } from "../lab/interrupted-restore.ts";
import { ANNA, BERT, openImapAs, openSubmissionAs, sendMail } from "../lab/mail.ts";
import { mailText } from "../lab/mailbox.ts";
import { hashesOf } from "../lab/many-mails.ts";
import { PASSWORD } from "../lab/product.ts";
import { killedDrill, secondGuard } from "../lab/second-guard.ts";
import { queueOf } from "../lab/submitted.ts";
import { duringTraffic, missingOf } from "../lab/traffic.ts";
import { timed, until } from "../lab/wait.ts";
import { DOMAINS, fillServer, MANY, signInAs } from "../lab/whole-server.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const MAILS = 1_000;
/** Deadline for a drill on a busy machine. */
const DRILL_MS = 90_000;
const HOME = "198.51.100.70";
const BANNED = "198.51.100.98";
const BEFORE = 20;
/** Anna's password, which opens her key; an encrypted mail. */
const [ANNAS, SECRET] = ["purple monkey dishwasher", "Encrypted"];

type Made = Readonly<{ snapshot: string; key: string; mails: number }>;

describe("backups", needsLab(), () => {
  const { lab, product } = withProduct({ GHOSTINBOX_DOMAIN: DOMAINS.join() }, [ANNA, BERT], {
    // No such host exists, so mail to it waits.
    records: () => ["away.test. 60 IN A 203.0.113.250"],
    prepare: () => product.set({ GHOSTINBOX_BACKUP__REPOSITORY: lab.path("elsewhere") }),
  });
  const elsewhere = () => lab.path("elsewhere");
  const keyFile = () => lab.path("key");
  const mailKeyFile = () => lab.path("mail.pem");
  const { layout } = product;
  const mailOf = (account: string) => encryptedMail({ lab, product }, { account, from: HOME });
  const [annas, berts] = [mailOf(ANNA), mailOf(BERT)];

  const create = async (): Promise<Made> => (await product.json(["backup", "create"])) as Made;
  const deliver = (subject: string) =>
    sendMail({ host: lab.sender, from: `198.51.100.${80 + (subject.length % 8)}`, text: mailText({ subject }) });
  /** Every mail of the mailboxes, by name, folder and flags, with its content. */
  const files = (): readonly string[] => globSync("*/*/Maildir{,/.*}/{cur,new}/*", { cwd: layout.mail }).toSorted();
  const mails = () => hashesOf(layout.mail, files());
  const subjects = (): readonly string[] =>
    files()
      .map((path) => /^Subject: (.*?)\r?$/m.exec(readFileSync(join(layout.mail, path), "utf8"))?.[1] ?? "")
      .toSorted();
  /** Only Anna's mail, because the server may write to its owner at any time. */
  const queue = async (): Promise<readonly string[]> =>
    (await queueOf({ lab, product })).flatMap(({ sender }) => (sender === ANNA ? [sender] : []));
  /** A server's data other than mails. */
  const keptBesides = async () => ({
    aliases: await product.sqlite("SELECT * FROM alias ORDER BY 1, 2", layout.accountsDb),
    accounts: await product.json(["account", "list"]),
    keys: readdirSync(layout.dkimKeys).map((name) => readFileSync(join(layout.dkimKeys, name), "utf8")),
    settings: readFileSync(layout.settings, "utf8"),
  });
  let made: Made;

  test("a backup is made while mail arrives, and no mail waits; the key is shown once", async () => {
    await product.json(["allow", "add", "198.51.100.80/28"]);
    for (let i = 0; i < BEFORE; i++) assert.equal((await deliver(`Before ${i}`)).code, 250);
    await until("all have arrived", () => subjects().length >= BEFORE);
    const imap = await openImapAs(lab.sender, HOME, ANNA);
    for (const line of ["CREATE Archive", "SELECT INBOX", "STORE 1:3 +FLAGS (\\Flagged \\Seen)", "MOVE 5:7 Archive"])
      assert.match((await imap.imap(line)).at(-1) ?? "", / OK /, line);
    imap.close();
    await product.json(["ban", BANNED, "kept", "--permanent"]);
    await product.json(["alias", "add", "info@example.test", BERT]);
    const submission = await openSubmissionAs(lab.sender, HOME, ANNA);
    for (const line of [`MAIL FROM:<${ANNA}>`, "RCPT TO:<friend@away.test>", "DATA"]) await submission.ask(line);
    submission.send(`${mailText({ subject: "Waits", from: ANNA, to: "friend@away.test" })}\r\n.`);
    submission.close();

    const traffic = await duringTraffic({ lab, account: ANNA, networks: "1" }, async () => {
      made = await create();
    });
    traffic.print();
    assert.deepEqual(traffic.failures("mail"), []);
    await until("all have arrived", () => missingOf(layout, ANNA, traffic.accepted()).length === 0);
    assert.match(made.key, /^(?:[a-z2-9]{5}-){5}[a-z2-9]{5}$/);
    assert.ok(made.mails >= BEFORE, `${made.mails} mails`);
    assert.ok(traffic.longest("mail") < patience(5_000), `a mail waited ${traffic.longest("mail")} ms`);
    assert.ok(!existsSync(layout.backupStage), "nothing of it is left");
    writeFileSync(keyFile(), made.key);
    makeCheap(elsewhere(), made.key);
    assert.equal("key" in ((await product.json(["backup", "create"])) as object), false);
    assert.deepEqual(await product.json(["backup", "key"]), { key: made.key });
  });

  test("programs that face the network cannot read the backups", async () => {
    assert.equal(statSync(layout.backup).mode & 0o777, 0o700);
    for (const user of ["ghostinbox", "ghostinbox-web", "ghostinbox-export", "ghostinbox-mail", "postfix"]) {
      const ran = await lab.server.exec(["setpriv", "--reuid", user, "--clear-groups", "ls", layout.backup]);
      assert.notEqual(ran.code, 0, user);
    }
  });

  test("a deleted mail and a deleted folder come back, and nothing that exists changes", async () => {
    const imap = await openImapAs(lab.sender, HOME, ANNA);
    const wanted = "<Before.9@sender.test>";
    await imap.imap("SELECT Archive");
    await imap.imap("STORE 1:* +FLAGS (\\Deleted)");
    await imap.imap("EXPUNGE");
    imap.close();
    const before = mails();
    const one = await product.json(["backup", "restore", "--account", ANNA, "--message", wanted, "--into", "Found"]);
    assert.equal((one as { mails: number }).mails, 1);
    const folder = await product.json(["backup", "restore", "--account", ANNA, "--folder", "Archive", "--into", "Old"]);
    assert.equal((folder as { mails: number }).mails, 3);
    const after = mails();
    for (const [path, hash] of Object.entries(before)) assert.equal(after[path], hash, path);
    assert.equal(Object.keys(after).filter((path) => /\/\.(?:Found|Old)[./]/.test(path)).length, 4);
    const never = ["--account", ANNA, "--message", "<never@seen>", "--into", "X"];
    const none = await product.cli(["backup", "restore", ...never]);
    assert.match(none.stderr, /^The snapshot has no such mail of anna@example\.test\./);
    const noFolder = await product.cli(["backup", "restore", "--account", ANNA, "--folder", "Never", "--into", "X"]);
    assert.match(noFolder.stderr, /^The backup has no folder “Never” of anna@example\.test\. `\S+ backup list` shows/);
  });

  test("from now on mail is encrypted: by account for one, with the server's key for another", async () => {
    await encryptByAccount(product, { account: ANNA, password: ANNAS });
    await annas.writeHidden(ANNAS, SECRET);
    await berts.writeHidden(PASSWORD, SECRET);
    writeFileSync(mailKeyFile(), (await product.cli(["encryption", "key"])).stdout);
  });

  test("a drill that is killed leaves nothing running; the next one removes its files, and starts a second server", async () => {
    await fillServer(product, MAILS);
    const backedUp = await timed(create);
    const [bans, waiting, mailsThen] = [await product.firewallBans(), await queue(), files().length];

    await killedDrill(product, DRILL_MS);
    assert.ok(existsSync(layout.backupDrill), "its files wait for the next one");
    await until("the owner is alerted", async () =>
      /^! The last restore drill failed: .* was interrupted/m.test((await product.cli(["status"])).stdout),
    );

    const drilled = await timed(() => product.json(["backup", "drill"], { deadlineMs: DRILL_MS }));
    const { ok, found } = drilled.value as Readonly<{ ok: boolean; found: Readonly<Record<string, unknown>> }>;
    assert.ok(ok, JSON.stringify(drilled.value));
    const counts = { mails: mailsThen, mailboxes: 22, accounts: 22, same: 100, gone: 0, different: 0 };
    for (const [what, count] of Object.entries(counts)) assert.equal(found[what], count, what);
    const server = found["server"] as Readonly<Record<string, unknown>>;
    assert.deepEqual([server["mails"], server["aliases"], server["bans"]], [mailsThen, 4, 2]);
    assert.match(String(server["signedIn"]), /@/);
    assert.ok(!existsSync(layout.backupDrill), "nothing of it is left");
    assert.equal(secondGuard(product), null);
    assert.deepEqual([await product.firewallBans(), await queue()], [bans, waiting]);
    const drillLine = /^Last restore drill: .*, \d+ mails of [0-9a-f]{8} in .*, all right\.$/m;
    for (const args of [["status"], ["backup", "list"]]) assert.match((await product.cli(args)).stdout, drillLine);
    console.log(
      `${MAILS} mails backed up in ${backedUp.ms} ms, drilled in ${drilled.ms} ms; the second server started in ${String(server["startMs"])} ms`,
    );
  });

  test("a machine that is thrown away comes back with every mail, ban, alias and password", async () => {
    const waiting = await queue();
    const then = mails();
    const besides = await keptBesides();
    await create();
    await product.stopAndCheck();
    rmSync(layout.data, { recursive: true });
    const restore = ["backup", "restore", "--from", elsewhere(), "--key-file", keyFile()];
    const dry = await product.cli([...restore, "--dry-run"]);
    assert.match(dry.stdout, /^Would restore the server mail\.example\.test as of .* Nothing was changed\.$/m);
    assert.ok(!existsSync(layout.data));
    const { value: restored, ms } = await timed(() => product.cli(restore));
    assert.equal(restored.code, 0, restored.stderr);
    console.log(`${Object.keys(then).length} mails restored in ${ms} ms`);
    assert.ok(restored.stderr.includes(`Next: GHOSTINBOX_DATA=${layout.data} npm start\n`), restored.stderr);
    await product.start();
    assert.match(product.output, /The restored queue holds [1-9]\d* mails?\./);
    const now = mails();
    for (const [path, hash] of Object.entries(then)) assert.equal(now[path], hash, path);
    assert.deepEqual([await queue(), waiting], [[ANNA], [ANNA]]);
    assert.deepEqual(await keptBesides(), besides);
    assert.ok((await product.banOf(BANNED)) !== undefined);
    await signInAs(lab, MANY.slice(0, 3), HOME);
    assert.match(JSON.stringify(await product.json(["alias", "list"])), /info@example\.test/);
    const imap = await openImapAs(lab.sender, HOME, ANNA, ANNAS);
    await imap.imap("SELECT INBOX");
    assert.match((await imap.imap("SEARCH FLAGGED")).join(), /SEARCH 1 2 3/);
    imap.close();
    assert.match(await annas.find(ANNAS, SECRET), /bodysecret/, "the password opens it");
    assert.equal(await berts.find(PASSWORD, SECRET), "", "no backup holds the server's key");
    await product.json(["encryption", "unlock", mailKeyFile()]);
    await until("the server's key opens the rest", async () =>
      (await berts.find(PASSWORD, SECRET)).includes("bodysecret"),
    );
    await annas.writeHidden(ANNAS, "After");
    assert.equal("key" in ((await product.json(["backup", "create"])) as object), false, "the key is the same");
  });

  test("a wrong key, a damaged pack, a directory in use: one sentence, and nothing changes", async () => {
    const listing = () => globSync("**", { cwd: layout.data }).filter((path) => !path.startsWith("log/")).length;
    const wrong = await product.cli(["backup", "restore", "--from", elsewhere()], { input: "aaaaa-bbbbb\n" });
    assert.match(
      wrong.stderr,
      /^\S+ cannot be read: the key does not open it\. The key was shown when the first backup was made\.\n$/,
    );
    const running = await product.cli(["backup", "restore"]);
    assert.match(
      running.stderr,
      /^The server in \S+ is running: stop it with `GHOSTINBOX_DATA=\S+ \.\/ghostinbox stop` first\. Nothing was restored\.\n$/,
    );
    assert.match((await product.cli(["backup", "verify"])).stdout, /were read back whole/);
    const damaged = damagedCopy(elsewhere(), lab.path("damaged"));
    await product.stopAndCheck();
    const before = listing();
    const restore = ["backup", "restore", "--key-file", keyFile(), "--from"];
    const full = await product.cli([...restore, elsewhere()]);
    assert.match(full.stderr, /is not empty\. Use --replace to move it aside first\./);
    const ran = await product.cli([...restore, damaged, "--replace", "--yes"]);
    assert.match(
      ran.stderr,
      /^(?:Nothing was restored|The snapshot \S+ cannot be read): it is damaged\. `restic -r PLACE .*\.\n$/,
    );
    assert.equal(listing(), before);
    assert.deepEqual(besideData(product), []);
    await endedRestores(product, [...restore, elsewhere(), "--replace", "--yes"]);
    assert.equal(listing(), before);
    const again = await product.does([...restore, elsewhere(), "--replace", "--yes"]);
    assert.match(again, /What was there before is in \S+\.before-\d{8}T\d{6}Z\./);
    assert.equal(besideData(product).length, 1, "nothing of those that were ended");
    await product.start();
    assert.match(await annas.find(ANNAS, "After"), /bodysecret/);
  });
});
