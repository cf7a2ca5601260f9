import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventRow, net, START, scratch } from "../../../../test/kit/test-database.ts";
import type { Observation } from "../../../core/events/event.ts";
import { hostPrefix, networkAddress } from "../../../core/net/ip.ts";
import { DAY_MS, HOUR_MS, later } from "../../../core/time.ts";
import { whyAccount, whyAddress, whyMessage } from "../../../engine/explain/why.ts";
import { observationRow } from "../../../engine/record.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { openEngine, openEngineForReading } from "../open.ts";
import { SqliteQueries } from "./queries.ts";

/** What `why` tells is read back from the rows that the engine writes. */
function fresh(t: TestContext) {
  const path = join(scratch(t), "engine.db");
  const db = openEngine(path);
  const reader = openEngineForReading(path);
  t.after(() => [reader, db].forEach((each) => each.close()));
  const store = new SqliteStore(db);
  let at = START;
  const commit = (
    ...rows: readonly (readonly [type: string, ip: string | null, details: string, account?: string])[]
  ) => {
    store.begin();
    for (const [type, ip, details, account = null] of rows) {
      at = later(at, 1_000);
      const row = eventRow(ip ?? "203.0.113.1", at, { type, details, account });
      store.append(ip === null ? { ...row, ip: null, prefix: null } : row);
    }
    store.commit();
  };
  const observe = (...seen: readonly Observation[]) => {
    store.begin();
    for (const one of seen) {
      at = later(at, 1_000);
      const row = observationRow(one, at, hostPrefix);
      if (row !== null) store.append(row);
    }
    store.commit();
  };
  const wait = (durationMs: number): void => {
    at = later(at, durationMs);
  };
  return { commit, observe, wait, queries: new SqliteQueries(reader), now: () => at };
}

const SESSION = [
  ["CONNECT", "198.51.100.7", "smtp mx.sender.test"],
  ["RECIPIENT", "198.51.100.7", "smtp from=<a@sender.test> to=<anna@example.test> helo=<mx.sender.test>"],
  ["EMAIL", "198.51.100.7", "smtp from=<a@sender.test> to=<anna@example.test>"],
  ["EMAIL_ACCEPTED", "198.51.100.7", "smtp from=<a@sender.test> to=<anna@example.test> size=9 queue_id=72CED1EABE5"],
] as const;
const QUEUED = { type: "MAIL_QUEUED", queueId: "72CED1EABE5", messageId: "<one@sender.test>" } as const;
const SCORED = { type: "SPAM_SCORED", score: 1, required: 5, messageId: "<one@sender.test>", recipient: null } as const;
const SENT = {
  type: "MAIL_TRIED",
  queueId: "72CED1EABE5",
  recipient: "anna@example.test",
  alias: null,
  outcome: "sent",
  relay: "lmtp x",
  reply: "250 Saved",
  server: null,
} as const;

test("a mail by its queue id or Message-ID: session, score, way and end, and nothing of other mails", (t) => {
  const { commit, observe, wait, queries } = fresh(t);
  commit(["CONNECT", "198.51.100.7", "smtp an earlier session"], ...SESSION);
  observe(QUEUED, SCORED, SENT, { ...QUEUED, queueId: "AAAAAAAAAAA", messageId: "<two@sender.test>" });
  wait(HOUR_MS);
  commit(["EMAIL", "198.51.100.7", "smtp from=<a@sender.test> to=<bert@example.test>"]);
  for (const name of ["72CED1EABE5", "<one@sender.test>", "one@sender.test"]) {
    const { queueIds, messageIds, timeline } = whyMessage(queries, name);
    assert.deepEqual([queueIds, messageIds], [["72CED1EABE5"], ["<one@sender.test>"]], name);
    assert.deepEqual(
      timeline.map(({ source, type }) => `${source} ${type}`),
      [
        "smtp CONNECT",
        "smtp RECIPIENT",
        "smtp EMAIL",
        "smtp EMAIL_ACCEPTED",
        "delivery EMAIL_QUEUED",
        "spam SPAM_SCORED",
        "delivery EMAIL_DELIVERED",
      ],
    );
  }
  assert.deepEqual(whyMessage(queries, "BBBBBBBBBBB").timeline, []);
});

test("a sender who writes another mail's names into an address is no part of its story", (t) => {
  const { commit, observe, queries } = fresh(t);
  commit(...SESSION);
  observe(QUEUED);
  commit([
    "EMAIL_ACCEPTED",
    "203.0.113.9",
    'smtp from=<"x queue_id=72CED1EABE5"@b.test> to=<anna@example.test> size=9 queue_id=CCCCCCCCCCC',
  ]);
  observe({ ...QUEUED, queueId: "CCCCCCCCCCC", messageId: "x queue_id=72CED1EABE5 message_id=<one@sender.test>" });
  assert.deepEqual(whyMessage(queries, "72CED1EABE5").queueIds, ["72CED1EABE5"]);
  assert.ok(whyMessage(queries, "72CED1EABE5").timeline.every(({ ip }) => ip !== "203.0.113.9"));
});

test("an account: sign-ins by address, what it sent, what came for it, what was changed", (t) => {
  const { commit, observe, queries } = fresh(t);
  const login = "imap login=<anna@example.test>";
  commit(
    ["ACCOUNT_ADDED", null, "anna@example.test by root"],
    ["LOGIN_SUCCEEDED", "198.51.100.65", login, "anna@example.test"],
    ["LOGIN_FAILED", "198.51.100.7", login, "Anna@Example.test"],
    ["LOGIN_REFUSED", "198.51.100.7", login, "anna@example.test"],
    ["LOGIN_FAILED", "198.51.100.7", "imap login=<bert@example.test>", "bert@example.test"],
    ["ACCOUNT_SUSPENDED", null, "joanna@example.test by root"],
  );
  observe(SENT);
  const { addresses, timeline } = whyAccount(queries, "anna@example.test");
  assert.deepEqual(
    addresses.map(({ ip, succeeded, failed }) => [ip, succeeded, failed]),
    [
      ["198.51.100.7", 0, 2],
      ["198.51.100.65", 1, 0],
    ],
  );
  assert.deepEqual(
    timeline.map(({ type }) => type),
    ["ACCOUNT_ADDED", "LOGIN_SUCCEEDED", "LOGIN_FAILED", "LOGIN_REFUSED", "EMAIL_DELIVERED"],
  );
});

test("an address: its report, and the same events explained, the oldest first", (t) => {
  const { observe, queries, now } = fresh(t);
  const fault = { type: "CLIENT_FAULT", service: "smtp", times: 1 } as const;
  const prefix = net("198.51.100.7");
  assert.deepEqual(whyAddress(queries, prefix, now(), DAY_MS).timeline, []);
  observe(SENT, {
    type: "LOGIN_UNSEEN",
    ip: networkAddress(prefix),
    service: "imap",
    login: "anna@example.test",
    times: 2,
  });
  observe({ ...fault, ip: networkAddress(prefix), reason: "tls_failed", detail: "lost connection" });
  const told = whyAddress(queries, prefix, now(), DAY_MS).timeline;
  assert.deepEqual(
    told.map(({ source, type, details }) => [source, type, details]),
    [
      ["login", "LOGIN_FAILED", "imap login=<anna@example.test> (2 times)"],
      ["smtp", "TLS_FAILED", "smtp lost connection"],
    ],
  );
});
