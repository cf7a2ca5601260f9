import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { DELIVERED, ip, MAIL, UNNAMED } from "../../../test/kit/samples.ts";
import { engineDatabase, record, START } from "../../../test/kit/test-database.ts";
import { decision } from "../../core/decide/decision.ts";
import { type Audit, auditRecord } from "../../core/events/command.ts";
import { type Event, type EventRecord, recordOf } from "../../core/events/event.ts";
import { type Observation, observationRecord } from "../../core/events/log.ts";
import type { MailAttributes } from "../../core/events/mail.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { HOUR_MS, later, type Millis } from "../../core/time.ts";
import { whyAccount, whyAddress, whyMessage } from "../../guard/explain/why.ts";
import { sqliteEventNames } from "../events/event-index.ts";
import { sqliteQueries } from "./queries.ts";

/** `why` reads back the rows that the engine wrote. */
function fresh(t: TestContext) {
  const { db, store, reader } = engineDatabase(t);
  let at = START;
  const write = (records: readonly ((at: Millis) => EventRecord | null)[]): void => {
    const made = records.map((recordAt) => recordAt((at = later(at, 1_000))));
    record(store, ...made.filter((one) => one !== null));
  };
  const commit = (...events: readonly (Event | Audit)[]): void =>
    write(events.map((event) => (now) => ("subject" in event ? auditRecord(event, now) : passed(event, now))));
  const observe = (...seen: readonly Observation[]): void =>
    write(seen.map((one) => (now) => observationRecord(one, now, hostPrefix)));
  const wait = (durationMs: number) => (at = later(at, durationMs));
  const index = (): void => {
    const names = sqliteEventNames(db);
    while (names.step());
  };
  return { commit, observe, wait, index, queries: sqliteQueries(reader), now: () => at };
}

function passed(event: Event, at: Millis): EventRecord | null {
  const prefix = "ip" in event ? hostPrefix(event.ip) : event.prefix;
  return recordOf(event, decision("pass", "below_limit"), { prefix, at });
}

const SENDER = ip("198.51.100.7");
const FACTS: MailAttributes = { ...MAIL, ip: SENDER, sender: "a@sender.test", recipient: "anna@example.test" };
const CONNECT: Event = { ...FACTS, type: "CONNECT" };
const BEGUN: Event = { ...FACTS, type: "DATA", recipientCount: 1 };
const TAKEN: Event = { ...FACTS, type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 9, queueId: "72CED1EABE5" };
const NAMED: Event = { ...FACTS, type: "RECIPIENT", blockListing: null, senderExists: true };
const SESSION: readonly Event[] = [CONNECT, NAMED, BEGUN, TAKEN];
const QUEUED = { type: "MAIL_QUEUED", queueId: "72CED1EABE5", messageId: "<one@sender.test>" } as const;
const SCORED = { type: "SPAM_SCORED", score: 1, required: 5, messageId: "<one@sender.test>", recipient: null } as const;
test("a mail is explained by queue id or Message-ID: session, score, path and end, and nothing about other mails", (t) => {
  const { commit, observe, wait, queries } = fresh(t);
  commit(CONNECT, ...SESSION);
  observe(QUEUED, SCORED, DELIVERED, { ...QUEUED, queueId: "AAAAAAAAAAA", messageId: "<two@sender.test>" });
  wait(HOUR_MS);
  commit({ ...FACTS, type: "DATA", recipientCount: 1, recipient: "bert@example.test" });
  for (const name of ["72CED1EABE5", "<one@sender.test>", "one@sender.test"]) {
    const { queueIds, messageIds, timeline } = whyMessage(queries, name);
    assert.deepEqual([queueIds, messageIds], [["72CED1EABE5"], ["<one@sender.test>"]], name);
    const story = timeline.map(({ source, type }) => `${source} ${type}`);
    const session = ["smtp CONNECT", "smtp RECIPIENT", "smtp EMAIL", "smtp EMAIL_ACCEPTED"];
    assert.deepEqual(story, [...session, "delivery EMAIL_QUEUED", "spam SPAM_SCORED", "delivery EMAIL_DELIVERED"]);
  }
  assert.deepEqual(whyMessage(queries, "BBBBBBBBBBB").timeline, []);
});

test("a mail with a long Message-ID is found without others that share its first characters", (t) => {
  const { observe, queries, index } = fresh(t);
  const [long, other] = ["1", "2"].map((end) => `<${"é\u{1F600}".repeat(170)}${end}@sender.test>`);
  assert.ok(long !== undefined && other !== undefined);
  observe({ ...QUEUED, messageId: long }, { ...QUEUED, queueId: "AAAAAAAAAAA", messageId: other });
  for (const found of ["in the table", "by the index"]) {
    assert.deepEqual(whyMessage(queries, long.slice(1, -1)).queueIds, ["72CED1EABE5"], found);
    assert.deepEqual(whyMessage(queries, other).queueIds, ["AAAAAAAAAAA"], found);
    index();
  }
});

test("a manual change of several mails is in the story of each", (t) => {
  const { commit, observe, queries, index } = fresh(t);
  observe(QUEUED);
  const mails = { subject: "72CED1EABE5 AAAAAAAAAAA", queueIds: ["72CED1EABE5", "AAAAAAAAAAA"] };
  commit({ type: "QUEUE_DELETED", ...mails, by: "root" });
  for (const found of ["in the table", "by the index"]) {
    for (const name of ["72CED1EABE5", "<one@sender.test>", "AAAAAAAAAAA"])
      assert.equal(whyMessage(queries, name).timeline.at(-1)?.type, "QUEUE_DELETED", `${name} ${found}`);
    index();
  }
});

test("a sender who writes another mail's names into an address is not in its story", (t) => {
  const { commit, observe, queries } = fresh(t);
  commit(...SESSION);
  observe(QUEUED);
  commit({ ...TAKEN, ip: ip("203.0.113.9"), sender: '"x queue_id=72CED1EABE5"@b.test', queueId: "CCCCCCCCCCC" });
  observe({ ...QUEUED, queueId: "CCCCCCCCCCC", messageId: "x queue_id=72CED1EABE5 message_id=<one@sender.test>" });
  assert.deepEqual(whyMessage(queries, "72CED1EABE5").queueIds, ["72CED1EABE5"]);
  assert.ok(whyMessage(queries, "72CED1EABE5").timeline.every(({ ip }) => ip !== "203.0.113.9"));
});

test("strangers' guesses at an account push out neither its own events nor changes to it", (t) => {
  const { commit, queries } = fresh(t);
  const guess = (from: number, login: string) =>
    ({ ip: ip(`203.0.113.${from}`), service: "imap", login, passwordHash: "" }) as const;
  commit(
    { type: "ACCOUNT_SUSPENDED", subject: "anna@example.test", by: "root" },
    { type: "ACCOUNT_SUSPENDED", subject: "bert@example.test", by: "root" },
    { type: "LOGIN_SUCCEEDED", ...guess(1, "Anna@example.test") },
    { type: "ACCOUNT_RELEASED", subject: "anna@example.test", by: "root" },
    ...Array.from({ length: 250 }, (_, i): Event => ({ type: "LOGIN_FAILED", ...guess(i, "anna@example.test") })),
  );
  const { own, timeline, complete } = whyAccount(queries, "anna@example.test");
  const did = own.map(({ id, type }) => `${id} ${type}`);
  assert.deepEqual(did, ["1 ACCOUNT_SUSPENDED", "3 LOGIN_SUCCEEDED", "4 ACCOUNT_RELEASED"]);
  assert.deepEqual([timeline.length, complete], [200, false]);
  const few = whyAccount(queries, "bert@example.test");
  assert.deepEqual([few.own.length, few.timeline.length, few.complete], [1, 1, true]);
});

test("the timeline of an address explains its events, oldest first", (t) => {
  const { observe, queries, now } = fresh(t);
  const fault = { type: "CLIENT_FAULT", ip: SENDER, service: "smtp", reason: "tls_failed", times: 1 } as const;
  const prefix = hostPrefix(SENDER);
  assert.deepEqual(whyAddress(queries, prefix, now(), { memoryMs: HOUR_MS, ipv6Prefix: 64 }).timeline, []);
  observe(DELIVERED, { type: "LOGIN_UNSEEN", ip: SENDER, service: "imap", login: "anna@example.test", times: 2 });
  observe({ ...fault, ...UNNAMED, detail: "lost connection" });
  const { timeline } = whyAddress(queries, prefix, now(), { memoryMs: HOUR_MS, ipv6Prefix: 64 });
  const story = timeline.map(({ source, type, details }) => `${source} ${type}: ${details}`);
  assert.deepEqual(story, [
    "login LOGIN_FAILED: imap login=<anna@example.test> (2 times)",
    "smtp TLS_FAILED: smtp lost connection",
  ]);
});
