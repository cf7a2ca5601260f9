import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { ip, MAIL } from "../../../test/kit/samples.ts";
import type { Observation } from "../../core/events/log.ts";
import type { Message } from "../../core/events/mail.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { QueuedMails } from "./queued-mails.ts";

const SERVER = "203.0.113.7";
const NETWORK = parsePrefix("203.0.113.0/24") ?? assert.fail();
const POSITION = { inode: "1", offset: 1 };
const MESSAGE: Message = { type: "MESSAGE", recipientCount: 1, sizeBytes: 9, ...MAIL, queueId: "72CED1EABE5" };
const judged = (found: "spf" | "dkim" | "spam"): Observation => ({
  type: "MAIL_JUDGED",
  queueId: "72CED1EABE5",
  found,
});
const tried = (
  outcome: "sent" | "bounced",
  server: string | null = null,
  queueId: string = "72CED1EABE5",
): Observation => ({
  type: "MAIL_TRIED",
  queueId,
  recipient: "anna@example.test",
  alias: null,
  outcome,
  relay: "lmtp x",
  reply: "250 Saved",
  server: server === null ? null : ip(server),
});

/** What is known of the network after these log lines about one mail. */
async function after(message: Message, ...seen: readonly Observation[]) {
  const made = engineOnMemory();
  const { engine, db } = made;
  const friend = { type: "CORRESPOND", address: "friend@example.net", account: "anna@example.test" } as const;
  made.store.begin();
  made.store.apply(friend, engine.startedAt);
  made.store.commit();
  await engine.ask({ ...message, ip: ip(SERVER) });
  await engine.observe("mail", POSITION, seen);
  const rows = db.prepare("SELECT * FROM honest_mail").all();
  return rows.map((row) => [
    row["network"],
    row["prefix"],
    row["accepted"],
    row["proven"],
    row["wanted"],
    row["written"],
  ]);
}

const of = (counts: readonly number[], unit = `${SERVER}/32`): unknown => [[NETWORK, unit, ...counts]];
const FRIEND = { ...MESSAGE, sender: "Friend@example.net" };
for (const [what, message, seen, counts] of [
  ["delivered", MESSAGE, [tried("sent")], [1, 0, 0, 0]],
  ["to several recipients, counted once", MESSAGE, [tried("sent"), tried("sent")], [1, 0, 0, 0]],
  ["proven by a signature", MESSAGE, [judged("dkim"), tried("sent")], [1, 1, 0, 0]],
  ["proven, of a stranger", MESSAGE, [judged("spf"), tried("sent")], [1, 1, 0, 0]],
  ["of a correspondent, and proven by SPF", FRIEND, [judged("spf"), tried("sent")], [1, 1, 1, 0]],
  [
    "of a correspondent, with a signature that anyone can send again",
    FRIEND,
    [judged("dkim"), tried("sent")],
    [1, 1, 0, 0],
  ],
  ["in the name of a correspondent", FRIEND, [tried("sent")], [1, 0, 0, 0]],
] as const)
  test(`a mail ${what}`, async () => assert.deepEqual(await after(message, ...seen), of(counts)));

test("an account's mail speaks for each server that takes it", async () => {
  const own = { ...MESSAGE, account: "anna@example.test" };
  const taken = [tried("sent", "203.0.113.9"), tried("sent"), tried("bounced", "203.0.113.8")];
  assert.deepEqual(await after(own, ...taken), of([0, 0, 0, 1], "203.0.113.9/32"));
});

test("mail that was marked as spam, bounced or refused gives no credit", async () => {
  assert.deepEqual(await after(MESSAGE, judged("spf"), judged("spam"), tried("sent")), []);
  assert.deepEqual(await after(MESSAGE, tried("bounced")), []);
  assert.deepEqual(await after({ ...MESSAGE, queueId: "AAAAAAAAAAA" }, tried("sent")), []);
  assert.deepEqual(
    await after(MESSAGE, tried("sent", "203.0.113.9")),
    of([1, 0, 0, 0]),
    "a stranger's is no account's",
  );
});

test("of the mails that are under way the last 4,096 are known, and each stays as long as it is touched", () => {
  const mails = new QueuedMails({ hasWrittenTo: () => false });
  const accepted = (queueId: string): void => mails.accepted({ ...MESSAGE, queueId }, NETWORK, NETWORK);
  const isKnown = (queueId: string): boolean => mails.creditOf(tried("sent", null, queueId), 64) !== null;
  for (let i = 0; i < 4_096; i++) accepted(`AAAAA${i}`);
  accepted("AAAAA0");
  accepted("BBBBB");
  assert.deepEqual([isKnown("AAAAA0"), isKnown("AAAAA1"), isKnown("AAAAA2")], [true, false, true]);
});

test("a mail without a queue id is none that a log could tell of", () => {
  const mails = new QueuedMails({ hasWrittenTo: () => false });
  mails.accepted({ ...MESSAGE, queueId: "" }, NETWORK, NETWORK);
  assert.equal(mails.creditOf(tried("sent", null, ""), 64), null);
});
