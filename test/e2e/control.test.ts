import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Lab } from "../lab/lab.ts";
import { logIn, openImap, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { Product } from "../lab/product.ts";
import { until } from "../lab/wait.ts";

const ANNA = "anna@example.test";
const PHONE = "198.51.100.70";

describe("a server that was started over ssh", { skip: whyNoLab() ?? false }, () => {
  const lab = new Lab();
  const product = new Product(lab);
  before(async () => {
    await lab.start();
    const terminal = await product.startAtTerminal();
    await product.addAccount(ANNA);
    await terminal.hangsUp();
  });
  after(async () => {
    try {
      await product.cli(["stop"]);
      assert.deepEqual(product.processes(), [], "nothing is left running");
    } finally {
      lab.remove();
    }
  });

  test("keeps running when the connection is lost, and says so in its log", async () => {
    await until("the start has noticed", () =>
      startLog().includes("The terminal was closed: GhostInbox keeps running"),
    );
    assert.deepEqual(product.pidsOf(/npm/), [], "npm itself has ended");
    assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "After" })).code, 250);
    await expectMails(1);
    assert.match((await product.cli(["status"])).stdout, /GhostInbox is running\./);
    assert.match((await product.cli(["logs", "--component", "start"])).stdout, /The terminal was closed/);
  });

  test("is not restarted with settings that would keep it from starting", async () => {
    const settings = readFileSync(product.layout.settings, "utf8");
    const [guard] = product.pidsOf(/guard\.js/);
    writeFileSync(product.layout.settings, settings.replace(/^\[limits\.mail\]$/m, "$&\nper_minuet = 3"));
    const refused = await product.cli(["restart"]);
    writeFileSync(product.layout.settings, settings);
    assert.equal(refused.code, 1, refused.stdout + refused.stderr);
    assert.match(refused.stderr, /limits\.mail\.per_minuet/);
    assert.deepEqual(product.pidsOf(/guard\.js/), [guard]);
  });

  test("restarts in its own process, with its environment", async () => {
    const [start, ...others] = product.pidsOf(/set-up\/start\.ts/);
    assert.deepEqual(others, []);
    const [guard] = product.pidsOf(/guard\.js/);
    // Its environment names the data directory and the domain; this one's names only the former.
    const restarted = await product.cli(["restart"], { env: { GHOSTINBOX_DOMAIN: "other.test" } });
    assert.equal(restarted.code, 0, restarted.stderr);
    assert.deepEqual(product.pidsOf(/set-up\/start\.ts/), [start]);
    assert.notDeepEqual(product.pidsOf(/guard\.js/), [guard]);
    assert.equal((await sendMail({ host: lab.sender, from: PHONE, subject: "Again" })).code, 250);
    await expectMails(2);
  });

  test("is told apart from one that does not come back", async () => {
    // What only the start finds out.
    rmSync(product.layout.sieve, { recursive: true });
    writeFileSync(product.layout.sieve, "in the way");
    const failed = await product.cli(["restart"]);
    rmSync(product.layout.sieve);
    assert.equal(failed.code, 1, failed.stdout);
    assert.match(failed.stderr, /GhostInbox was not restarted: It stopped and did not start again: .*sieve/);
    assert.deepEqual(product.processes(), []);
    const again = await product.cli(["restart"]);
    assert.equal(again.code, 3);
    assert.match(again.stderr, /GhostInbox is not running\. Start it with `npm start`\./);
  });

  test("is stopped by a command that waits for it, and once is enough", async () => {
    await product.start();
    const stopped = await product.cli(["stop"]);
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.equal(stopped.stdout, "GhostInbox has stopped.\n");
    assert.deepEqual(product.processes(), []);
    assert.equal(await lab.server.mustExec(["nft", "list", "tables"]), "");
    const again = await product.cli(["stop"]);
    assert.deepEqual([again.code, again.stdout], [0, "GhostInbox is not running.\n"]);
  });

  function startLog(): string {
    return readFileSync(product.layout.startLog, "utf8");
  }

  async function expectMails(count: number): Promise<void> {
    const dialog = await openImap(lab.sender, PHONE);
    assert.match((await logIn(dialog, ANNA)) ?? "", /^OK/);
    await until(`${count} mails are there`, async () =>
      (await dialog.imap("SELECT INBOX")).includes(`* ${count} EXISTS`),
    );
    dialog.close();
  }
});
