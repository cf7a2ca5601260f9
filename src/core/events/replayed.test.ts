import assert from "node:assert/strict";
import { test } from "node:test";
import { readBack } from "../../../test/kit/read-back.ts";
import { BAN, DATA, JAIL_REPORT, LOGIN, MAIL, MESSAGE, NOON, RECIPIENT, STRANGER } from "../../../test/kit/samples.ts";
import { type Change, decision } from "../decide/decision.ts";
import { hostPrefix } from "../net/ip.ts";
import { HOUR_MS, later } from "../time.ts";
import { type Audit, auditRecord, changeRecord } from "./command.ts";
import { type Event, eventOf, isNetworkEvent, recordedName, recordOf } from "./event.ts";
import { readRest } from "./rest-schemas.ts";

const PREFIX = hostPrefix(STRANGER);
const REFUSE = decision("refuse", "banned", { counted: false });

test("decisions can be made again: each event is read back unchanged", () => {
  const known = { ...MAIL, clientName: "mx.sender.test", queueId: "72CED1EABE5" } as const;
  const blockListing = { zone: "zen.spamhaus.org", meaning: "127.0.0.2, SBL" };
  const report: Event = {
    ...JAIL_REPORT,
    failures: 7,
    clientName: "mx.sender.test",
    lines: Array.from({ length: 7 }, (_, i) => ({ text: i < 2 ? "" : `line ${i}`, at: later(NOON, i), about: "log" })),
  };
  const events: readonly Event[] = [
    { type: "CONNECT", ip: STRANGER, service: "smtp", session: MAIL.session, clientName: "mx.sender.test" },
    { type: "CONNECT", ip: STRANGER, service: "submission", session: MAIL.session, clientName: null },
    { ...RECIPIENT, blockListing, senderExists: false, ...known },
    { ...RECIPIENT, senderProven: true, recipient: null, sender: "" },
    { ...RECIPIENT, senderExists: true },
    { ...DATA, recipientCount: 2, recipient: null, account: "anna@example.org", session: "other" },
    DATA,
    { ...MESSAGE, sizeBytes: 0, ...known, helo: "" },
    { ...MESSAGE, recipientCount: 3, sizeBytes: 9, ...known, excess: { of: "mime_parts", count: 4 } },
    { type: "LOGIN_ASKED", ...LOGIN, withoutBan: "bans_used_up" },
    { type: "LOGIN_SUCCEEDED", ...LOGIN, passkey: "blue key" },
    { type: "LOGIN_SUCCEEDED", ...LOGIN, appPassword: "phone" },
    { type: "LOGIN_FAILED", ...LOGIN, login: "", passwordHash: "" },
    report,
    { type: "BAN_ASKED", prefix: PREFIX, note: "x", durationMs: 5, by: "root" },
  ];
  for (const event of events) {
    const record = readBack(recordOf(event, REFUSE, { prefix: PREFIX, at: NOON }));
    assert.deepEqual(eventOf(record), event);
    if (!isNetworkEvent(event)) assert.equal(record.rest.event, recordedName(event));
    if ("recipientCount" in event) assert.equal("recipientCount" in record.rest, event.recipientCount !== 1);
  }
});

test("a command is read back from its changes; the engine's own actions are not", () => {
  const command = (change: Change): Event | null => {
    const record = changeRecord(change, NOON);
    return record === null ? null : eventOf(record);
  };
  const by = "root";
  const note = BAN.reason;
  const asked = (durationMs: number | null) => ({ type: "BAN_ASKED", prefix: PREFIX, note, durationMs, by });
  const allowAsked = { type: "ALLOW_ASKED", prefix: PREFIX, note: "office", durationMs: HOUR_MS, by };
  const manual = { ...BAN, level: "manual", offences: 0, source: by, createdAt: NOON } as const;
  assert.deepEqual(command({ type: "BAN", ban: { ...manual, expiresAt: later(NOON, HOUR_MS) } }), asked(HOUR_MS));
  assert.deepEqual(command({ type: "BAN", ban: { ...manual, expiresAt: null } }), asked(null));
  assert.equal(command({ type: "BAN", ban: BAN }), null);
  const lift = { type: "LIFT", prefix: PREFIX, forgiven: true, by } as const;
  assert.deepEqual(command({ ...lift, cause: "UNBAN" }), { type: "UNBAN_ASKED", prefix: PREFIX, by });
  assert.equal(command({ ...lift, cause: "BAN_EXPIRED" }), null);
  const allow = { type: "ALLOW", prefix: PREFIX, note: "office", by } as const;
  assert.deepEqual(command({ ...allow, expiresAt: later(NOON, HOUR_MS) }), allowAsked);
  const taken = { type: "DISALLOW", prefix: PREFIX, by } as const;
  assert.deepEqual(command({ ...taken, cause: "ALLOW_REMOVED" }), { type: "DISALLOW_ASKED", prefix: PREFIX, by });
  assert.deepEqual(command({ ...taken, cause: "ALLOW_EXPIRED" }), { type: "ALLOW_EXPIRED", prefix: PREFIX });
  assert.equal(command({ type: "SPARE", prefix: PREFIX, ip: STRANGER, why: "gateway", code: "mail_limit" }), null);
  assert.equal(eventOf(auditRecord({ type: "ACCOUNT_ADDED", subject: "anna@example.org", by }, NOON)), null);
});

test("a command names the accounts and addresses that it is about, wherever its sentence puts them", () => {
  const named = (audit: Audit): readonly (string | null)[] => {
    const { account, sender, recipient, actor } = auditRecord(audit, NOON);
    return [account, sender, recipient, actor];
  };
  const by = "root";
  const anna = "anna@example.org";
  const aliasNamed = [null, null, "info@example.org", by];
  assert.deepEqual(named({ type: "PASSWORD_CHANGED", subject: anna, by }), [anna, null, null, by]);
  assert.deepEqual(named({ type: "ALIAS_REMOVED", subject: "info@example.org", by }), aliasNamed);
  const allowed = { subject: `news@letters.test for ${anna}`, account: anna, sender: "news@letters.test", by };
  assert.deepEqual(named({ type: "SPAM_ALLOW_ADDED", ...allowed }), [anna, "news@letters.test", null, by]);
  assert.deepEqual(named({ type: "TOKEN_CREATED", subject: "backup", by }), [null, null, null, by]);
  const { rest } = auditRecord({ type: "ALIAS_ADDED", subject: "info@example.org", targets: [anna], by }, NOON);
  assert.deepEqual(rest, { event: "AUDIT", subject: "info@example.org", targets: [anna] });
});

test("a record that no kind of event wrote is not read", () => {
  for (const json of ["", "null", "[]", "{}", '{"event":"NEW"}', '{"event":"CONNECT"}', '{"event":"DISALLOW","x":1}'])
    assert.equal(readRest(json), null, json);
  assert.deepEqual(readRest('{"event":"DISALLOW"}'), { event: "DISALLOW" });
});
