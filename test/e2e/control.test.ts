import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { DEFAULT_DATA_DIRECTORY } from "../../src/settings/layout.ts";
import { asUser } from "../lab/commands.ts";
import { expectMails } from "../lab/expect-mails.ts";
import { newLab } from "../lab/lab.ts";
import { ANNA, sendMail } from "../lab/mail.ts";
import { OUR_USERS, startOutliver } from "../lab/outliver.ts";
import { Product } from "../lab/product.ts";
import { rootWritesTests } from "../lab/root-writes-tests.ts";
import { until } from "../lab/wait.ts";
import { endsBy, needsLab } from "../lab/with-product.ts";

const PHONE = "198.51.100.70";

describe("a server that was started over ssh", needsLab(), () => {
  const lab = newLab();
  const product = new Product(lab, {}, { isByNpm: false });
  before(async () => {
    await lab.start();
    const terminal = await product.startAtTerminal();
    assert.equal((await sendMail({ host: lab.sender, from: PHONE })).code, 450, "while there is no mailbox");
    await product.addAccount(ANNA);
    await terminal.hangsUp();
  });
  endsBy(lab, async () => {
    await product.cli(["stop"]);
    await until("nothing is left running", () => product.processes().length === 0);
  });

  test("keeps running when the connection is lost, and says so in its log", async () => {
    await until("the start has noticed", () =>
      startLog().includes("The terminal was closed: GhostInbox keeps running"),
    );
    assert.deepEqual(product.pidsOf(/npm/), [], "npm itself has ended");
    assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "After" })).code, 250);
    await expectMails(lab, { account: ANNA, from: PHONE }, 1);
    assert.match((await product.cli(["status"])).stdout, /GhostInbox is running\./);
    assert.match((await product.cli(["logs", "--component", "start"])).stdout, /The terminal was closed/);
  });

  test("a program of root's sends mail with `sendmail`, as cron does; other users' are refused", async () => {
    const send = (words: readonly string[], input: string) => product.cli(["sendmail", ...words], { input });
    const mail = `From: root (Cron Daemon)\nTo: ${ANNA}\nSubject: Cron <root@mail> backup\n\nIt failed.\n`;
    const sent = await send(["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "-t"], mail);
    assert.deepEqual([sent.code, sent.stdout, sent.stderr], [0, "", ""]);
    await expectMails(lab, { account: ANNA, from: PHONE }, 2);
    assert.equal((await send(["-t"], "Subject: for whom?\n\n")).code, 75, "as Postfix's sendmail(1) ends");
    const other = await lab.server.exec([...as("nobody"), "-C", product.layout.postfixConf, ANNA], { input: "\n" });
    assert.notEqual(other.code, 0, "postdrop(1) takes another configuration from root alone");
  });

  test("docs/local-mail.md: with a main.cf in /etc/postfix, the users that it lists can send with Debian's sendmail", async () => {
    const [, block = ""] =
      /^ {4}(compatibility_level[^]*?)\n\n/m.exec(readFileSync("docs/local-mail.md", "utf8")) ?? [];
    const main = block.replaceAll(/^ +/gm, "").replace(DEFAULT_DATA_DIRECTORY, product.layout.data);
    const file = lab.path("main.cf");
    writeFileSync(file, `${main}\n`);
    // Mounts it for these commands only, so the machine's own directory stays unchanged.
    const script = `mount -t tmpfs tmpfs /etc/postfix && cp ${file} /etc/postfix/main.cf && exec "$@"`;
    const send = async (user: string) =>
      lab.server.exec(["unshare", "--mount", "bash", "-c", script, "-", ...as(user), "-i", ANNA], {
        input: "Subject: from a program\n\nHello.\n",
      });
    const sent = await send("backup");
    assert.deepEqual([sent.code, sent.stderr], [0, ""]);
    await expectMails(lab, { account: ANNA, from: PHONE }, 3);
    const refused = await send("nobody");
    assert.match(refused.stderr, /not allowed to submit mail/);
    assert.notEqual(refused.code, 0);
  });

  test("is not restarted with settings that would keep it from starting", async () => {
    const settings = readFileSync(product.layout.settings, "utf8");
    const [guard] = product.pidsOf(/guard\.js/);
    writeFileSync(product.layout.settings, `limits.mail.per_minuet = 3\n${settings}`);
    await product.fails(["restart"], /limits\.mail\.per_minuet/);
    writeFileSync(product.layout.settings, settings);
    assert.deepEqual(product.pidsOf(/guard\.js/), [guard]);
  });

  test("restarts in its own process, with its environment", async () => {
    const [start, ...others] = product.pidsOf(/set-up\/start\.ts/);
    assert.deepEqual(others, []);
    const [guard] = product.pidsOf(/guard\.js/);
    // The server's environment has the data directory and its domain; the command's has another domain, which must not count.
    await product.does(["restart"], { env: { GHOSTINBOX_DOMAIN: "other.test" } });
    assert.deepEqual(product.pidsOf(/set-up\/start\.ts/), [start]);
    assert.notDeepEqual(product.pidsOf(/guard\.js/), [guard]);
    assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "Again" })).code, 250);
    await expectMails(lab, { account: ANNA, from: PHONE }, 4);
  });

  test("is reported if it does not come back after a restart", async () => {
    // Breaks something that only the start notices.
    rmSync(product.layout.sieve, { recursive: true });
    writeFileSync(product.layout.sieve, "in the way");
    await product.fails(["restart"], /GhostInbox was not restarted: It stopped and did not start again: .*sieve/);
    rmSync(product.layout.sieve);
    assert.deepEqual(product.processes(), []);
    await product.fails(["restart"], /GhostInbox is not running\. Start it with `\S+ npm start`\./, { code: 3 });
  });

  describe("an attacker who was one of its users when it stopped", () => rootWritesTests({ lab, product }));

  test("is stopped by one command, which waits for the end, and processes that its users left behind end too", async (t) => {
    const left = await Promise.all(OUR_USERS.map((user) => startOutliver({ host: lab.server, user })));
    t.after(() => Promise.all(left.map((one) => one.end())));
    assert.equal(await product.does(["stop"]), "GhostInbox has stopped.\n");
    await until("they have ended", () => left.every((one) => !one.isThere()));
    assert.deepEqual(product.processes(), []);
    assert.equal(await lab.server.mustExec(["nft", "list", "tables"]), "");
    assert.equal(await product.does(["stop"]), "GhostInbox is not running.\n");
  });

  /** Debian's sendmail(1) as another user. */
  const as = (user: string) => [...asUser(user, "nogroup"), "/usr/sbin/sendmail"];

  const startLog = (): string => readFileSync(product.layout.startLog, "utf8");
});
