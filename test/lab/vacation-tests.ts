import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ANNA, assertAccepted, BERT, sendMail, sendMailAs } from "./mail.ts";
import { findMail, mailText } from "./mailbox.ts";
import { startSink } from "./sink.ts";
import { queueOf } from "./submitted.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** The server of written.test: its mail comes from there, and replies go there. */
const HONEST = "198.51.100.10";
/** Replies of an account per hour. */
const AN_HOUR = 20;
const TESSA = "tessa@example.test";
/** The server of these domains answers no MAIL command for minutes. */
const SLOW = "198.51.100.102";
const SLOW_DOMAINS = ["slow0.test", "slow1.test", "slow2.test", "slow3.test"];

export const VACATION_RECORDS = [
  `mx.slow.test. A ${SLOW}`,
  ...SLOW_DOMAINS.flatMap((name) => [`${name}. MX 10 mx.slow.test.`, `${name}. TXT "v=spf1 ip4:${HONEST} -all"`]),
];

/** For a server that limits no mail. `there`: the mails that written.test received. */
export function vacationTests({ lab, product }: Running, there: () => readonly string[]): void {
  const cli = (...words: readonly string[]) => product.does(words);
  type More = Readonly<{ sender?: string; to?: string; headers?: readonly string[]; account?: string; host?: string }>;
  async function write(subject: string, more: More = {}): Promise<void> {
    const { sender = "someone@written.test", to = ANNA, headers = [], account = ANNA, host = HONEST } = more;
    const from = sender === "" ? "mailer-daemon@written.test" : sender;
    const text = mailText({ subject, from, to, headers });
    assertAccepted(await sendMail({ host: lab.sender, from: host, sender, recipient: to, text }));
    await until(`it is here: ${subject}`, () => findMail(product.layout, subject, { account }));
  }
  const repliesTo = (sender: string): readonly string[] =>
    there().filter((mail) => mail.includes(`X-Rcpt-Args: <${sender}>`));
  const replyTo = (sender: string) => until("the reply is there", () => repliesTo(sender)[0]);
  /** A reply would be in the queue before its mail is in the mailbox. */
  async function noReplyTo(sender: string, already = 0): Promise<void> {
    await until("the queue is empty", async () => (await queueOf({ lab, product })).length === 0);
    assert.equal(repliesTo(sender).length, already, `replies to ${sender}`);
  }

  test("a sender gets one, signed and with an empty envelope sender, and a second mail gets none", async () => {
    await cli("account", "vacation", ANNA, 'Back on Monday.\n.\n"Anna" \\o/ äöü', "--subject", "Away äöü");
    await write("first");
    const reply = await replyTo("someone@written.test");
    assert.match(reply, /^X-Mail-Args: <>/m);
    assert.match(reply, /^From: <?anna@example\.test>?$/m);
    assert.match(reply, /^To: <someone@written\.test>$/m);
    assert.match(reply, /^Auto-Submitted: auto-replied/m);
    assert.match(reply, /^DKIM-Signature:.*\s*d=example\.test;/m);
    assert.match(reply, /^Subject: Away =\?utf-8\?/im);
    assert.match(reply, /^Back on Monday\.\r?\n\.\r?\n"Anna" \\o\/ /m);
    await write("second");
    await noReplyTo("someone@written.test", 1);
    assert.match(await cli("audit", "list"), /VACATION_CHANGED +anna@example\.test until it is ended/);
    const says = /^ {2}vacation reply +until it is ended: Away äöü Back on Monday\. \/ \. \/ "Anna" /m;
    assert.match(await cli("why", "--account", ANNA), says);
  });

  test("mail to an alias of only this account gets one, to an alias of several none", async () => {
    await cli("alias", "add", "a.nna@example.test", ANNA);
    await cli("alias", "add", "office@example.test", ANNA, BERT);
    await write("by the alias", { sender: "alias@written.test", to: "a.nna@example.test" });
    await replyTo("alias@written.test");
    await write("by the other", { sender: "several@written.test", to: "office@example.test" });
    await noReplyTo("several@written.test");
  });

  test("lists, programs and bounces get none", async () => {
    for (const [i, headers] of [
      ["List-Id: <news.written.test>"],
      ["Precedence: bulk"],
      ["Auto-Submitted: auto-replied"],
      ["List-Unsubscribe: <mailto:off@written.test>"],
    ].entries())
      await write(`by a program ${i}`, { sender: "program@written.test", headers });
    await noReplyTo("program@written.test");
    await write("a bounce", { sender: "" });
    await noReplyTo("mailer-daemon@written.test");
  });

  test("a sender who is not proven gets none: it may be forged", async () => {
    await write("forged", { sender: "forged@written.test", host: "198.51.100.70" });
    await noReplyTo("forged@written.test");
  });

  test("after its end, and while the account is suspended, no one gets a reply", async () => {
    const end = new Date(Date.now() + 3_600_000).toISOString();
    await cli("account", "vacation", ANNA, "Back soon.", "--until", end);
    await write("in time", { sender: "in.time@written.test" });
    await replyTo("in.time@written.test");
    await lab.server.mustExec(["sqlite3", product.layout.accountsDb, "UPDATE vacation SET until = until - 3600000"]);
    await write("too late", { sender: "too.late@written.test" });
    await noReplyTo("too.late@written.test");
    await cli("account", "vacation", ANNA, "Away.");
    await cli("account", "suspend", ANNA);
    await write("suspended", { sender: "suspended@written.test" });
    await noReplyTo("suspended@written.test");
    await cli("account", "resume", ANNA);
    await write("resumed", { sender: "resumed@written.test" });
    await replyTo("resumed@written.test");
    await cli("account", "vacation", ANNA, "--off");
    await write("ended", { sender: "ended@written.test" });
    await noReplyTo("ended@written.test");
  });

  test("an account's replies per hour are bounded, so a thief cannot send spam with them", async () => {
    await cli("account", "vacation", BERT, "Buy this.");
    for (let i = 0; i < AN_HOUR + 3; i++)
      await write(`mail ${i} to Bert`, { sender: `victim${i}@written.test`, to: BERT, account: BERT });
    const replied = (): number => there().filter((mail) => /X-Rcpt-Args: <victim/.test(mail)).length;
    await until("the replies are there", () => replied() >= AN_HOUR);
    await noReplyTo("nobody@written.test");
    assert.equal(replied(), AN_HOUR);
  });

  describe("a server that takes minutes for each mail", () => {
    before(() => startSink(lab, SLOW, ["-W", "mail:600"]));
    const atSlow = (): readonly string[] =>
      Array.from({ length: AN_HOUR }, (_, i) => `a${i}@${SLOW_DOMAINS[i % SLOW_DOMAINS.length]}`);
    const submit = async (account: string, subject: string, recipient: string): Promise<string> =>
      assertAccepted(await sendMailAs(account, { host: lab.sender, from: HONEST, recipient, subject }));
    async function sendsAtOnce(subject: string): Promise<void> {
      await submit(ANNA, subject, "someone@written.test");
      await until("it is there", () => there().find((mail) => mail.includes(`Subject: ${subject}`)));
      await lab.server.mustExec(["postsuper", "-c", product.layout.postfixConf, "-d", "ALL"]);
    }

    test("replies to it, as many as an hour allows, do not delay users' own mail", async () => {
      await cli("account", "vacation", TESSA, "Away.");
      for (const sender of atSlow()) await write(`from ${sender}`, { sender, to: TESSA, account: TESSA });
      await sendsAtOnce("beside replies");
      await cli("account", "vacation", TESSA, "--off");
    });

    test("nor does as much mail from one user", async () => {
      for (const recipient of atSlow()) await submit("slow@example.test", "slow", recipient);
      await sendsAtOnce("beside another's mail");
    });
  });
}
