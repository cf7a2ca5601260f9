// Invariant: A bounce never bans a server or reveals which users exist.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Dialog, SmtpReply } from "./dialog.ts";
import { fail2banRuns, jailHasRead } from "./fail2ban.ts";
import { ANNA, assertAccepted, BERT, openImap, openSmtp, sendMail, sendMailAs, tryLogIn } from "./mail.ts";
import { SERVER } from "./network.ts";
import { type Sink, startSink } from "./sink.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** mx.sender.test, which passes SPF. */
const LIST = "198.51.100.10";

/** For a server with Fail2ban and RECORDS. */
export function honestServersTests({ lab, product }: Running): void {
  const TO_LIST = { host: lab.sender, from: "2001:db8:b000:1::1", recipient: "someone@sender.test" };
  let sink: Sink;
  before(() => fail2banRuns(product));

  async function bounce(dialog: Dialog, ...recipients: readonly string[]): Promise<readonly SmtpReply[]> {
    await dialog.ask("RSET");
    await dialog.ask("MAIL FROM:<>");
    const replies: SmtpReply[] = [];
    for (const recipient of recipients) replies.push(await dialog.ask(`RCPT TO:<${recipient}>`));
    return replies;
  }

  test("a bank returns mail that was sent in the name of made-up users here", async () => {
    const bank = "198.51.100.80";
    const returned = { host: lab.sender, from: bank, sender: "" };
    for (let i = 1; i <= 15; i++) {
      const reply = await sendMail({ ...returned, recipient: `made-up-${i}@example.test` });
      assert.equal(reply.code, 550, reply.lines.join());
    }
    assert.equal((await sendMail({ ...returned, recipient: ANNA })).code, 250);
    await jailHasRead(product, "198.51.100.205");
    assert.equal(await product.banOf(bank), undefined);
    const counted = (await product.events(bank)).filter(({ type }) => type === "JAIL_REPORTED" || type === "SPARED");
    assert.deepEqual(counted, [], "no jail counts them");
  });

  test("a search for names that way finds few: one recipient per mail, and after thirty all get the same answer", async () => {
    const from = "198.51.100.81";
    // Only a few per connection, because Postfix slows down after ten errors.
    for (let connection = 1; connection <= 5; connection++) {
      using dialog = await openSmtp(lab.sender, from);
      const [first, second] = await bounce(dialog, "made-up@example.test", ANNA);
      assert.match(first?.lines.join() ?? "", /5\.1\.1 .*User unknown/);
      assert.match(second?.lines.join() ?? "", /5\.5\.3/);
      for (let i = 1; i <= 5; i++) {
        const [reply] = await bounce(dialog, `name-${connection}-${i}@example.test`);
        assert.equal(reply?.code, 550, dialog.transcript.join("\n"));
      }
    }
    const dialog = await openSmtp(lab.sender, from);
    const [unknown] = await bounce(dialog, "name@example.test");
    const [known] = await bounce(dialog, ANNA);
    const words = (reply: SmtpReply | undefined): string => reply?.lines.join().replace(/<[^>]*>/, "") ?? "";
    assert.equal(unknown?.code, 450);
    assert.equal(words(known), words(unknown));
    await dialog.ask("RSET");
    await dialog.ask("MAIL FROM:<someone@sender.test>");
    assert.equal((await dialog.ask(`RCPT TO:<${ANNA}>`)).code, 250, "mail with a sender is still accepted");
    dialog.close();
    assert.equal(await product.banOf(from), undefined);
  });

  test("an address that Postfix would take for one of ours is refused, whether or not ours exists", async () => {
    const from = "198.51.100.82";
    const formsOf = (name: string) => [
      `${name}%example.test@[127.0.0.1]`,
      `example.test!${name}@[127.0.0.1]`,
      `"${name}@example.test"@[127.0.0.1]`,
      `${name}@example.test@[127.0.0.1]`,
    ];
    const repliesFor = async (name: string) => {
      using dialog = await openSmtp(lab.sender, from);
      const replies: string[] = [];
      await dialog.ask("MAIL FROM:<someone@sender.test>");
      for (const form of formsOf(name)) replies.push((await dialog.ask(`RCPT TO:<${form}>`)).lines.join());
      return replies.map((reply) => reply.replace(/<.*>/, ""));
    };
    const replies = await repliesFor("anna");
    assert.deepEqual(replies, await repliesFor("made-up"));
    for (const reply of replies) assert.match(reply, /^5\.\d\.\d /);
  });

  const credits = (kind: "wanted" | "written"): Promise<readonly (readonly string[])[]> =>
    product.sqlite(`SELECT 1 FROM honest_mail WHERE prefix = '${LIST}/32' AND ${kind} > 0`);

  test("a list server delivers eleven mails in a minute to a family that writes to it: deferred, not banned", async () => {
    sink = await startSink(lab, LIST);
    assertAccepted(await sendMailAs(ANNA, TO_LIST));
    await until("it is there", () => sink.mails().length > 0);
    await until("that is known", async () => (await credits("written")).length > 0);
    const digest = (recipient: string): Promise<SmtpReply> =>
      sendMail({ host: lab.sender, from: LIST, sender: "someone@sender.test", recipient });
    for (let n = 1; n <= 10; n++) assert.equal((await digest(n % 2 === 0 ? ANNA : BERT)).code, 250, `mail ${n}`);
    const eleventh = await digest(ANNA);
    assert.equal(eleventh.code, 450, eleventh.lines.join());
    assert.equal(await product.banOf(LIST), undefined);
    await until("its mail is known to be wanted", async () => (await credits("wanted")).length > 0);
    assert.match((await product.cli(["why", LIST])).stdout, /users here want mail from it/);
  });

  test("five wrong passwords from a user of that server do not ban it", async () => {
    for (let n = 1; n <= 5; n++) assert.match(await tryLogIn(lab.sender, LIST, ANNA, `guess-${n}`), /^NO/);
    const isSpared = async () =>
      (await product.events(LIST)).some(({ type, reason }) => type === "SPARED" && reason === "honest_network");
    await until("it is spared", isSpared);
    assert.equal(await product.banOf(LIST), undefined);
  });

  test("mail to a banned server still leaves, and it cannot connect, not even from a port of a service", async (t) => {
    using session = await openImap(lab.sender, LIST);
    await product.json(["ban", LIST, "a test"]);
    t.after(() => product.json(["unban", LIST]));
    await session.closed();
    // The sink has port 25.
    const asService = { from: LIST, fromPort: 24, to: SERVER.v4, port: 25, timeoutMs: 1_000 };
    assert.deepEqual(await lab.sender.connect(asService), { ok: false, code: "ETIMEDOUT" });
    const mails = sink.mails().length;
    assertAccepted(await sendMailAs(ANNA, TO_LIST));
    await until("the mail is there", () => sink.mails().length > mails);
  });
}
