import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { detailsOf } from "./content.ts";
import { ANNA, assertAccepted, BERT, sendMail, sendMailAs } from "./mail.ts";
import { findMail, mailText } from "./mailbox.ts";
import { startSink } from "./sink.ts";
import { queueOf } from "./submitted.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** The sender's SPF record names HONEST; FORGER is not in it. */
const HONEST = "198.51.100.10";
const FORGER = "198.51.100.70";
const HOME = "198.51.100.65";
const LONG_LINE = `${"A long line of text, ".repeat(150)}end`;
/** The server of an alias's target, which refuses every mail. */
const REFUSING = "198.51.100.101";

export const FORWARDS_RECORDS = [
  "victim.test. MX 10 mx.sender.test.",
  'victim.test. TXT "v=spf1 -all"',
  // The name that clients give in EHLO, which is the forger's own.
  `client.test. TXT "v=spf1 ip4:${FORGER} -all"`,
  "refusing.test. MX 10 mx.refusing.test.",
  `mx.refusing.test. A ${REFUSING}`,
  // At most two refusals per domain count.
  ...Array.from({ length: 6 }, (_, i) => `refusing${i}.test. MX 10 mx.refusing.test.`),
];

/** `there`: the mails that written.test has received. */
export function forwardsTests({ lab, product }: Running, there: () => readonly string[]): void {
  before(() => startSink(lab, REFUSING, ["-f", "."]));

  type More = Readonly<{ headers?: readonly string[]; sender?: string; body?: string; text?: string }>;
  async function write(subject: string, from: string, more: More = {}): Promise<void> {
    const { headers = [], sender = "someone@written.test", body = "" } = more;
    const head = mailText({ subject, from: "someone@written.test", to: "info@example.test", headers });
    const text = more.text ?? `${head}\r\n${body}`;
    assertAccepted(await sendMail({ host: lab.sender, from, sender, recipient: "info@example.test", text }));
  }
  const reportsOn = (subject: string) => there().filter((mail) => mail.includes(`Subject: ${subject}`));
  const eventOf = (type: string, containing: string) => detailsOf(product, type, containing);
  const queueIsEmpty = async (): Promise<boolean> => (await queueOf({ lab, product })).length === 0;

  test("a proven sender gets a report; the local copy is still delivered", async () => {
    await product.json(["alias", "add", "info@example.test", ANNA, "person@refusing.test"]);
    await write("honest forward", HONEST, { body: LONG_LINE });
    const report = await until("the report", () => reportsOn("honest forward")[0]);
    assert.match(report, /^From: Mail Delivery System <MAILER-DAEMON@mail\.example\.test>$/m);
    assert.match(report, /^To: someone@written\.test$/m);
    assert.match(report, /Undelivered Mail Returned to Sender/);
    const copy = await until("the local copy", () => findMail(product.layout, "honest forward"));
    assert.ok(copy.includes(LONG_LINE), "in one piece");
  });

  test("an alert has the other server's words", async () => {
    const refused = await until("the refusal is an event", () => eventOf("EMAIL_BOUNCED", "person@refusing.test"));
    assert.match(refused, /to=<person@refusing\.test> for=<info@example\.test> by smtp mx\.refusing\.test\[/);
    await until("the alert", async () =>
      /mail_undelivered.*info@example\.test/.test((await product.cli(["alerts", "list"])).stdout),
    );
  });

  test("a forged one does not, whatever the mail claims", async () => {
    const forged = [
      "Authentication-Results: mail.example.test;\r\n\tspf=pass (forged)",
      "X-Authentication-Results: mail.example.test;\r\n\tspf=pass (forged)",
    ];
    await write("forged forward", FORGER, { headers: forged });
    await until("it was refused", () => eventOf("EMAIL_BOUNCED", "person@refusing.test"));
    await until("the queue is empty", queueIsEmpty);
    assert.deepEqual(reportsOn("forged forward"), []);
    const withheld = await until("the report is an event", () => eventOf("BOUNCE_WITHHELD", "someone@written.test"));
    const because = "by discard none: the sender of the mail is not proven";
    assert.match(withheld, new RegExp(`^queue_id=\\w+ to=<someone@written\\.test> ${because}$`));
    await until("the local copy", () => findMail(product.layout, "forged forward"));
  });

  test("a proven sender of a long mail gets a report too", async () => {
    await write("long forward", HONEST, { body: "A line of text.\r\n".repeat(6_000) });
    await until("the report", () => reportsOn("long forward")[0]);
  });

  test("nothing that a forger writes into the sender or an enclosed mail makes it proven", async () => {
    const enclosing = [
      "From: someone@written.test",
      "Subject: forged by its inside",
      "MIME-Version: 1.0",
      "Content-Type: message/rfc822",
      "",
      "Authentication-Results: mail.example.test;\r\n\tspf=pass (x)",
      `X-GhostInbox-Proof: ${"7".repeat(32)}`,
      "X-GhostInbox-Verified: spf",
      "Subject: enclosed",
      "",
      "Hello.",
    ].join("\r\n");
    await write("forged by a sender", FORGER, { sender: '"a spf=pass b"@victim.test' });
    await write("forged by a route", FORGER, { sender: "@:c@victim.test" });
    await write("forged by its inside", FORGER, { sender: "b@victim.test", text: enclosing });
    for (const victim of ['"a spf=pass b"@victim.test', "b@victim.test", "c@victim.test"])
      await until(`${victim} is an event`, () => eventOf("BOUNCE_WITHHELD", `to=<${victim}>`));
    await until("the queue is empty", queueIsEmpty);
    const toVictims = there().filter((mail) => /^To: .*victim\.test/m.test(mail));
    assert.deepEqual(toVictims, []);
    const log = readFileSync(product.layout.mailLog, "utf8");
    assert.match(log, /from=<someone@written\.test>.*: the sender is proven by SPF$/m);
    assert.doesNotMatch(log, /victim\.test>.*: the sender is proven by SPF$/m);
  });

  test("the secret word that marks proven mail is in no mail that leaves", async () => {
    const word = readFileSync(product.layout.proofWord, "utf8").trim();
    assert.match(word, /^[0-9a-f]{32}$/);
    assert.ok(readFileSync(product.layout.mailLog, "utf8").includes(word), "it was looked at");
    await product.json(["alias", "add", "away@example.test", "person@written.test"]);
    const text = mailText({ subject: "forwarded", from: "someone@written.test", to: "away@example.test" });
    const mail = { host: lab.sender, from: HONEST, sender: "someone@written.test", text };
    await sendMail({ ...mail, recipient: "away+shop@example.test" });
    await until("it is forwarded", () => reportsOn("forwarded")[0]);
    assert.doesNotMatch(readFileSync(product.layout.mailLog, "utf8"), /to=<person\+/, "to exactly the target");
    for (const mail of there()) assert.ok(!mail.includes(word), mail);
    for (const subject of ["honest forward", "long forward"]) {
      const mail = await until("the local copy", () => findMail(product.layout, subject));
      assert.ok(!mail.includes(word), mail);
    }
  });

  test("a stranger's mail names one extension of a mailbox, and others in its next mails", async () => {
    const [first, ...others] = ["one", "two", "three"].map((extension) => `anna+${extension}@example.test`);
    const to = (...recipient: readonly string[]) => sendMail({ host: lab.sender, from: HONEST, recipient });
    const { code, lines } = await to(first ?? "", ...others);
    assert.equal(code, 452, lines.join());
    for (const other of others) assertAccepted(await to(other, "bert+one@example.test"));
  });

  test("an account whose mail many strangers refuse is held, and the list and `why` give the reason", async () => {
    const send = async (...recipient: readonly string[]): Promise<string> =>
      assertAccepted(await sendMailAs(BERT, { host: lab.sender, from: HOME, recipient }));
    await send(...Array.from({ length: 12 }, (_, i) => `old${i}@refusing${i % 6}.test`));
    const refused = `SELECT sum(count) FROM refusal WHERE account = '${BERT}'`;
    await until("their server has refused it", async () => (await product.sqlite(refused))[0]?.[0] === "12");
    await send("next@written.test");
    const { stdout } = await product.cli(["account", "held", BERT]);
    assert.match(stdout, /mail to 12 people to whom it had never written was refused within 1h, limit 10\./);
    assert.match(stdout, /next@written\.test/);
    assert.match((await product.cli(["why", "--account", BERT])).stdout, /limits\.sending\.refused/);
  });
}
