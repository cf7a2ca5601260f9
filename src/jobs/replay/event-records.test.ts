import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, MAIL, STRANGER } from "../../../test/kit/samples.ts";
import { engineFor, eventRows, record, START } from "../../../test/kit/test-database.ts";
import { decision } from "../../core/decide/decision.ts";
import { auditRecord, changeRecord } from "../../core/events/command.ts";
import { type EventRecord, eventOf, recordOf, sentenceOf } from "../../core/events/event.ts";
import { observationRecord } from "../../core/events/log.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { recordedEvents } from "./recorded-events.ts";

const PREFIX = hostPrefix(STRANGER);
const ODD = "x\u0000\u001b[31m\u202e😀".repeat(90);

test("a record is read back whole, with the same sentences", (t) => {
  const db = engineFor(t);
  const store = new SqliteStore(db);
  const passed = decision("pass", "below_limit");
  const context = { prefix: PREFIX, at: START };
  const odd = { ...MAIL, sender: ODD, recipient: ODD, helo: ODD, queueId: ODD };
  const evidence = { count: 11, limit: 10, windowMs: 60_000, key: "limits.mail.per_minute" };
  const written: readonly (EventRecord | null)[] = [
    recordOf({ type: "CONNECT", ...MAIL }, passed, context),
    recordOf({ type: "DATA", recipientCount: 1, ...MAIL }, decision("refuse", "mail_limit", { evidence }), {
      ...context,
      seen: { protection: "gateway", accountNetworks: [PREFIX] },
    }),
    recordOf({ type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 9, ...odd }, passed, context),
    changeRecord({ type: "BAN", ban: BAN }, START),
    auditRecord({ type: "ALIAS_ADDED", subject: "info@example.org", targets: ["anna@example.org"], by: "root" }, START),
    observationRecord({ type: "MAIL_QUEUED", queueId: "4ABC", messageId: ODD }, START, hostPrefix),
  ];
  record(store, ...written.filter((one) => one !== null));
  const read = [...recordedEvents(db).between(1, 100)].map((one) => one.record);
  assert.equal(JSON.stringify(read.map(inOrder)), withoutHalves(JSON.stringify(written.map(inOrder))));
  for (const [i, one] of read.entries()) {
    const before = written[i] ?? null;
    assert.ok(one !== null && before !== null);
    assert.deepEqual(sentenceOf(one), sentenceOf(before));
    const row = db.prepare("SELECT details, action FROM event WHERE id = ?").get(i + 1);
    assert.deepEqual({ ...row }, sentenceOf(one));
  }
  const types = read.slice(0, 2).map((one) => one && eventOf(one)?.type);
  assert.deepEqual(types, ["CONNECT", "DATA"]);
});

test("an event that was recorded only as text is not read back; ids continue after it", (t) => {
  const db = engineFor(t);
  record(new SqliteStore(db), ...eventRows(3, "203.0.113.7", START));
  db.exec("UPDATE event SET rest = NULL WHERE id = 1; UPDATE event SET rest = '{}' WHERE id = 2");
  const read = [...recordedEvents(db).between(1, 3)].map(({ id, record }) => `${id} ${record?.type ?? null}`);
  assert.deepEqual(read, ["1 null", "2 null", "3 CONNECT"]);
  db.exec("UPDATE event SET service = 'pop3' WHERE id = 3");
  assert.throws(() => [...recordedEvents(db).between(3, 3)], /holds "pop3" where one of smtp/);
});

function inOrder(read: EventRecord | null): unknown {
  return Object.entries(read ?? {}).toSorted(([a], [b]) => a.localeCompare(b));
}

/** Text was cut in the middle of a character. Half a character cannot be stored. */
function withoutHalves(json: string): string {
  return json.replace(/\\ud83d(?!\\)/g, "\ufffd");
}
