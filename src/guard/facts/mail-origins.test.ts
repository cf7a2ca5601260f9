import assert from "node:assert/strict";
import { test } from "node:test";
import { message } from "../../../test/kit/engine-events.ts";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { DELIVERED, ip, MAIL, net, POLICY } from "../../../test/kit/samples.ts";
import { rowsOf } from "../../../test/kit/test-database.ts";
import { NO_SENDING } from "../../core/decide/facts.ts";
import type { Observation } from "../../core/events/log.ts";
import type { EndOfMessage } from "../../core/events/mail.ts";
import { HOUR_MS, instant, later, SECOND_MS } from "../../core/time.ts";
import { MailOrigins, RefusingDomains } from "./mail-origins.ts";

const ANNA = "anna@example.test";
const START = instant(Date.UTC(2026, 0, 1));

test("at most two refusals of one domain count within the window, whichever subdomain refuses", () => {
  const domains = new RefusingDomains();
  const take = (recipient: string, afterMs = 0, account = ANNA): boolean =>
    domains.take({ account, recipient }, HOUR_MS, later(START, afterMs));
  const taken = [take("a@hostile.test"), take("b@HOSTILE.test", 9), take("c@hostile.test", 10)];
  assert.deepEqual(taken, [true, true, false]);
  assert.equal(take("d@x7.mail.hostile.test", 10), false);
  assert.equal(take("e@other.test", 10), true);
  assert.equal(take("a@hostile.test", 10, "bea@example.test"), true, "each account separately");
  assert.equal(take("f@hostile.test", HOUR_MS), true, "the first has left the window");
  assert.equal(take("g@hostile.test", HOUR_MS), false);
  assert.equal(take("h@hostile.test", -HOUR_MS), true, "the clock was set back");
});

test("a refusal that was undone does not count", () => {
  const domains = new RefusingDomains();
  const take = (recipient: string): boolean => domains.take({ account: ANNA, recipient }, HOUR_MS, START);
  assert.deepEqual([take("a@hostile.test"), take("b@hostile.test"), take("c@hostile.test")], [true, true, false]);
  domains.undoTake({ account: ANNA, recipient: "b@hostile.test" });
  assert.deepEqual([take("d@hostile.test"), take("e@hostile.test")], [true, false]);
});

test("a flood leaves the refusals of the latest 1,024 domains", () => {
  const domains = new RefusingDomains();
  const take = (i: number): boolean => domains.take({ account: ANNA, recipient: `a@d${i}.test` }, HOUR_MS, START);
  for (let i = 0; i <= 1_024; i++) assert.deepEqual([take(i), take(i)], [true, true]);
  assert.deepEqual([take(1), take(0)], [false, true]);
});

const SERVER = "203.0.113.7";
const NETWORK = net("203.0.113.0/24");
const POSITION = { inode: "1", offset: 1 };
const MESSAGE: EndOfMessage = { ...message(), ...MAIL, queueId: DELIVERED.queueId };
const { queueId: ID } = DELIVERED;
const judged = (found: "spf" | "dkim" | "spam"): Observation => ({ type: "MAIL_JUDGED", queueId: ID, found });
const tried = (outcome: "sent" | "bounced", server: string | null = null, queueId = ID): Observation => {
  return { ...DELIVERED, queueId, outcome, server: server === null ? null : ip(server) };
};

/** What is known about the network after these log lines about one mail. */
async function after(message: EndOfMessage, ...seen: readonly Observation[]) {
  const made = engineOnMemory();
  const { engine, db } = made;
  const friend = { type: "CORRESPOND", address: "friend@example.net", account: "anna@example.test" } as const;
  made.store.begin();
  made.store.apply(friend, engine.startedAt);
  made.store.commit();
  await engine.ask({ ...message, ip: ip(SERVER) });
  await engine.observe("mail", POSITION, seen);
  return rowsOf(db, "SELECT network, prefix, accepted, proven, wanted, written FROM honest_mail");
}

const of = (counts: readonly number[], unit = `${SERVER}/32`): unknown => [[NETWORK, unit, ...counts]];
const FRIEND = { ...MESSAGE, sender: "Friend@example.net" };
for (const [what, message, seen, counts] of [
  ["to several recipients, counted once", MESSAGE, [tried("sent")], [1, 0, 0, 0]],
  ["proven by a signature", MESSAGE, [judged("dkim")], [1, 1, 0, 0]],
  ["proven, of a stranger", MESSAGE, [judged("spf")], [1, 1, 0, 0]],
  ["of a correspondent, and proven by SPF", FRIEND, [judged("spf")], [1, 1, 1, 0]],
  ["of a correspondent, with a signature that anyone can send again", FRIEND, [judged("dkim")], [1, 1, 0, 0]],
  ["in the name of a correspondent", FRIEND, [], [1, 0, 0, 0]],
] as const)
  test(`a mail ${what}`, async () => assert.deepEqual(await after(message, ...seen, tried("sent")), of(counts)));

test("an account's mail counts in favour of each server that accepts it", async () => {
  const own = { ...MESSAGE, account: "anna@example.test" };
  const taken = [tried("sent", "203.0.113.9"), tried("sent"), tried("bounced", "203.0.113.8")];
  assert.deepEqual(await after(own, ...taken), of([0, 0, 0, 1], "203.0.113.9/32"));
});

test("mail that was marked as spam, bounced or refused gives no credit", async () => {
  assert.deepEqual(await after(MESSAGE, judged("spf"), judged("spam"), tried("sent")), []);
  assert.deepEqual(await after(MESSAGE, tried("bounced")), []);
  assert.deepEqual(await after({ ...MESSAGE, queueId: "AAAAAAAAAAA" }, tried("sent")), []);
  const sent = await after(MESSAGE, tried("sent", "203.0.113.9"));
  assert.deepEqual(sent, of([1, 0, 0, 0]), "a stranger's mail has no account");
});

const REPLY = { relay: "smtp mx.example.net[192.0.2.1]:25", reply: "550 5.1.1 No such user", server: ip("192.0.2.1") };
const REFUSED: typeof DELIVERED = { ...DELIVERED, recipient: "eve@example.net", outcome: "bounced", ...REPLY };
const NEVER_HELD = { holdOf: () => ({ evidence: null, vouchedAt: instant(0), mails: 0 }) };
const FROM = { prefix: NETWORK, network: NETWORK, sending: NO_SENDING };

test("remembers the last 4,096 mails in flight, the most recently active ones", () => {
  const mails = new MailOrigins({ hasWrittenTo: () => false }, NEVER_HELD);
  const accepted = (queueId: string): void => mails.accepted({ ...MESSAGE, queueId }, FROM, instant(1));
  const isKnown = (queueId: string): boolean =>
    mails.consequenceOf(tried("sent", null, queueId), POLICY, instant(9)) !== null;
  for (let i = 0; i < 4_096; i++) accepted(`AAAAA${i}`);
  accepted("AAAAA0");
  accepted("BBBBB");
  assert.deepEqual([isKnown("AAAAA0"), isKnown("AAAAA1"), isKnown("AAAAA2")], [true, false, true]);
});

test("a mail without a queue id is not remembered", () => {
  const mails = new MailOrigins({ hasWrittenTo: () => false }, NEVER_HELD);
  mails.accepted({ ...MESSAGE, queueId: "" }, FROM, instant(1));
  assert.equal(mails.consequenceOf(tried("sent", null, ""), POLICY, instant(9)), null);
});

test("a refusal counts against the account, once for each stranger among the mail's recipients", () => {
  let vouchedAt = 0;
  const hold = (account: string) => {
    assert.equal(account, ANNA);
    return { evidence: null, vouchedAt: instant(vouchedAt), mails: 0 };
  };
  const mails = new MailOrigins({ hasWrittenTo: () => false }, { holdOf: hold });
  const take = (strangers: number): void => {
    const sending = { ...NO_SENDING, mail: { recipients: 9, written: 9 - strangers, strangers } };
    mails.accepted({ ...MESSAGE, account: ANNA }, { ...FROM, sending }, instant(5));
  };
  const reported = (extra: Partial<typeof REFUSED> = {}): unknown =>
    mails.consequenceOf({ ...REFUSED, ...extra }, POLICY, instant(9));
  const refusal = { type: "NOTE_REFUSAL", account: ANNA };
  take(2);
  assert.deepEqual(reported({ outcome: "deferred" }), null);
  assert.deepEqual(reported({ relay: "lmtp dovecot" }), null, "an account here");
  assert.equal(reported({ relay: "smtp none", server: null }), null, "no server refused it: its domain does not exist");
  assert.deepEqual(reported({ alias: "info@example.test" }), null, "a target of an alias, whom the sender cannot know");
  assert.deepEqual([reported(), reported(), reported()], [refusal, refusal, null]);
  take(0);
  assert.equal(reported(), null, "people to whom it has written");
  take(9);
  vouchedAt = 5;
  assert.equal(reported({ recipient: "eve@example.com" }), null, "the owner has vouched since");
  vouchedAt = 4;
  assert.equal(reported(), null, "two in this domain have counted");
  assert.deepEqual(reported({ recipient: "eve@example.com" }), refusal);
});

test("a refusal of an account's mail is recorded and counted, one of a stranger's mail is only recorded", async () => {
  const { engine, db, store, clock } = engineOnMemory();
  const about = { ...MAIL, account: ANNA, sender: ANNA, queueId: MESSAGE.queueId };
  for (const recipient of ["eve@example.net", "bob@example.test"])
    await engine.ask({ type: "RECIPIENT", ...about, recipient, blockListing: null, senderExists: null });
  await engine.ask({ type: "END_OF_MESSAGE", ...about, recipient: null, recipientCount: 2, sizeBytes: 9 });
  store.failing = "commit";
  const lost = engine.observe("mail", POSITION, [REFUSED]);
  engine.commit();
  assert.equal(await lost, false);
  store.failing = null;
  clock.advance(SECOND_MS);
  await engine.observe("mail", POSITION, [REFUSED, REFUSED]);
  const bounced = rowsOf(db, "SELECT account, recipient FROM event WHERE type = 'EMAIL_BOUNCED' ORDER BY id");
  const strangers = [ANNA, null].map((account) => [account, "eve@example.net"]);
  assert.deepEqual(bounced, strangers, "one of the two was a stranger");
  assert.deepEqual(rowsOf(db, "SELECT account, count FROM refusal"), [[ANNA, 1]]);
});

test("a log line in a lost transaction is applied again", () => {
  const mails = new MailOrigins({ hasWrittenTo: () => false }, NEVER_HELD);
  const sending = { ...NO_SENDING, mail: { recipients: 1, written: 0, strangers: 1 } };
  mails.accepted({ ...MESSAGE, account: ANNA }, { ...FROM, sending }, instant(1));
  mails.accepted({ ...MESSAGE, queueId: "BBBBB" }, FROM, instant(1));
  const means = (seen: Observation) => mails.consequenceOf(seen, POLICY, instant(9))?.type ?? null;
  const both = () => [means(REFUSED), means(tried("sent", null, "BBBBB"))];
  const NOTHING = [null, null];
  const MEANT = ["NOTE_REFUSAL", "CREDIT"];
  assert.deepEqual(both(), MEANT);
  assert.deepEqual(both(), NOTHING);
  for (let i = 0; i < 2; i++) {
    mails.ended(false);
    assert.deepEqual(both(), MEANT);
  }
  mails.ended(true);
  mails.ended(false);
  assert.deepEqual(both(), NOTHING);
});
