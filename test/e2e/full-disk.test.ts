import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { smallDisk } from "../lab/full-disk.ts";
import { ANNA, BERT, openSubmissionAs, sendMail, sendMailAs, words } from "../lab/mail.ts";
import { PASSWORD } from "../lab/product.ts";
import { timed, until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const HOME = "198.51.100.70";
const PROMPT_MS = patience(5_000);

describe("a disk without a byte left", needsLab(), () => {
  const { lab, product } = withProduct({ GHOSTINBOX_SPAM__ENABLED: "true" }, [ANNA, BERT], {
    toml: "",
    prepare: () => disk.mount(),
  });
  const disk = smallDisk(product.layout.data, "400m");
  let clients = 0;

  const send = async (): Promise<string> => {
    const from = `2001:db8:b${(++clients).toString(16).padStart(3, "0")}::1`;
    return words(await sendMail({ host: lab.sender, from }));
  };
  const refusesAtOnce = async (after: string): Promise<void> => {
    const { value: said, ms } = await timed(send);
    assert.match(said, /^452 4\.3\.1 .*Insufficient system storage/, after);
    assert.ok(ms < PROMPT_MS, `after ${after}: ${ms} ms`);
  };

  test("mail is refused with 452 at once, whatever commands are run, and status says exactly that", async () => {
    assert.match(await send(), /^250/);
    disk.fill();
    await refusesAtOnce("the disk is full");
    const commands = [
      ["status"],
      ["ban", "203.0.113.99", "--for", "1h"],
      ["account", "add", "bob@example.test", "--password-stdin"],
      ["backup", "create"],
    ];
    for (const argv of commands) {
      disk.fill();
      const { stderr } = await product.typed(argv, { input: `${PASSWORD}\n` });
      assert.doesNotMatch(stderr, /mail is accepted|\n\s+at /);
      await refusesAtOnce(argv.join(" "));
    }
    await until("status says it", async () => {
      const { stdout } = await product.cli(["status"]);
      assert.match(stdout, /^GhostInbox is running, but mail does not flow\./);
      assert.match(stdout, /^! The disk is full: mail is refused\. 0 MB are left/m);
      assert.doesNotMatch(stdout, /disk does not flush|database cannot be written/i);
      return true;
    });
  });

  test("the remaining room is for mailboxes, not for mail that waits for other servers", async () => {
    disk.free();
    const toOthers = async (recipient: string): Promise<string> =>
      words(await sendMailAs(ANNA, { host: lab.sender, from: HOME, recipient }));
    await until("its owner sends", async () => (await toOthers("bert@elsewhere.test")).startsWith("250"));
    await product.json(["alias", "add", "team@example.test", ANNA, BERT]);
    await product.json(["account", "forward", BERT, ANNA]);
    using waiting = await openSubmissionAs(lab.sender, HOME, ANNA);
    for (const line of [`MAIL FROM:<${ANNA}>`, "RCPT TO:<bert@elsewhere.test>"])
      assert.equal((await waiting.ask(line)).code, 250);
    disk.fill(150 * 1024 ** 2);
    // With pauses, because Postfix limits the mails of an address per minute.
    const isRefused = async (): Promise<boolean> => (await toOthers("bert@elsewhere.test")).startsWith("452 4.3.1");
    await until("mail to others is refused", isRefused, 60_000, () => 10_000);
    // One of the alias's mailboxes may be full, so this mail might wait.
    assert.match(await toOthers("team@example.test"), /^452/);
    // The mailbox to which it is forwarded may be full, too.
    assert.match(await toOthers(BERT), /^452/);
    assert.match(await toOthers(ANNA), /^250/);
    assert.match(await send(), /^250/);
    assert.equal((await waiting.ask("DATA")).code, 354);
    waiting.send(`From: <${ANNA}>\r\n\r\nHello.\r\n.`);
    assert.equal((await waiting.reply()).code, 452, "it was accepted before");
  });

  test("mail flows as soon as there is room", async () => {
    disk.free();
    await until("mail flows", async () => (await send()).startsWith("250"));
    await until("the notice ends", async () => !(await product.hasNotice("disk_full")));
  });
});
