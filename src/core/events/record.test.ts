import assert from "node:assert/strict";
import { test } from "node:test";
import { readBack } from "../../../test/kit/read-back.ts";
import {
  BAN,
  DATA,
  ip,
  JAIL_REPORT,
  LOGIN,
  MAIL,
  MESSAGE,
  NOON,
  RECIPIENT,
  STRANGER,
} from "../../../test/kit/samples.ts";
import { type Change, type Decision, decision } from "../decide/decision.ts";
import { hostPrefix, prefixOf } from "../net/ip.ts";
import { HOUR_MS, later } from "../time.ts";
import { type Audit, auditRecord, changeRecord } from "./command.ts";
import { type Event, eventOf, isNetworkEvent, recordedName, recordOf } from "./event.ts";
import { LIVE_REFUSALS } from "./report.ts";
import { readRest } from "./rest-schemas.ts";

const PREFIX = hostPrefix(MAIL.ip);
const PASS = decision("pass", "below_limit");
const REFUSE = decision("refuse", "banned", { counted: false });
const DEFER = decision("defer", "provider_busy");

function row(event: Event, decided: Decision = PASS) {
  return readBack(recordOf(event, decided, { prefix: PREFIX, at: NOON }));
}

function line(event: Event, decided: Decision = PASS): string {
  const { type, action, counts, account } = row(event, decided);
  return `${type} ${action}, ${counts}, ${account}`;
}

test("a record holds what was seen, what was decided and the evidence", () => {
  const evidence = { count: 11, limit: 10, windowMs: 60_000, key: "limits.mail.per_minute" };
  const decided = decision("refuse", "mail_limit", { evidence });
  assert.deepEqual(row({ ...DATA, recipientCount: 3, recipient: null }, decided), {
    at: NOON,
    type: "EMAIL_BLOCKED",
    ip: MAIL.ip,
    prefix: PREFIX,
    account: null,
    proof: null,
    counts: "mail",
    reason: "mail_limit",
    count: 11,
    limit: 10,
    windowMs: 60_000,
    service: "smtp",
    sender: "someone@example.net",
    recipient: null,
    queueId: null,
    messageId: null,
    helo: "sender.example.net",
    sizeBytes: null,
    verdict: "refuse",
    offence: null,
    limitKey: "limits.mail.per_minute",
    actor: null,
    rest: { event: "MAIL", session: " 40000 25 192.0.2.1", transaction: "a1.1", recipientCount: 3 },
    details: "smtp from=<someone@example.net> to 3 recipients",
    action: "refused",
  });
});

test("each event has its public type, depending on its outcome", () => {
  const connect: Event = { type: "CONNECT", ...MAIL };
  const byAccount = { account: "anna@example.org" };
  const asked: Event = { type: "LOGIN_ASKED", ...LOGIN };
  for (const [expected, event, decided] of [
    // type action, what it counts for, account
    ["CONNECT allowed, connection, null", connect, PASS],
    ["CONNECT_REFUSED refused, null, null", connect, REFUSE],
    ["CONNECT_DEFERRED deferred, connection, null", connect, DEFER],
    ["RECIPIENT allowed, probe, null", RECIPIENT, PASS],
    ["GREYLIST_ASKED left to Postgrey, probe, null", RECIPIENT, decision("pass", "greylist_asked")],
    ["EMAIL_BLOCKED refused, null, null", RECIPIENT, REFUSE],
    ["RECIPIENT allowed, bounce, null", { ...RECIPIENT, sender: " " }, PASS],
    ["EMAIL_DEFERRED deferred, probe, null", RECIPIENT, DEFER],
    ["EMAIL allowed, mail, null", DATA, PASS],
    ["EMAIL_DEFERRED deferred, mail, null", DATA, DEFER],
    ["EMAIL allowed, account_mail, anna@example.org", { ...DATA, ...byAccount }, PASS],
    ["EMAIL_ACCEPTED allowed, null, anna@example.org", { ...MESSAGE, ...byAccount }, PASS],
    ["EMAIL_HELD held in the queue, null, null", MESSAGE, decision("hold", "account_held")],
    ["EMAIL_BLOCKED refused, null, null", MESSAGE, REFUSE],
    ["LOGIN_DELAYED delayed, login, User@example.org", asked, decision("delay", "known_address")],
    ["LOGIN_DELAYED allowed; would be delayed, login, User@example.org", asked, { ...PASS, simulated: "delay" }],
    ["LOGIN_REFUSED refused, null, User@example.org", asked, REFUSE],
    ["LOGIN_FAILED allowed, login, User@example.org", { type: "LOGIN_FAILED", ...LOGIN }, PASS],
    ["LOGIN_FAILED allowed, login, null", { type: "LOGIN_FAILED", ...LOGIN, login: "" }, PASS],
    ["LOGIN_SUCCEEDED allowed, null, User@example.org", { type: "LOGIN_SUCCEEDED", ...LOGIN }, PASS],
  ] as const)
    assert.equal(line(event, decided), expected);
});

test("the hash of a failed or refused password has its own column; that of a right one does not", () => {
  const hashes = (["LOGIN_ASKED", "LOGIN_FAILED", "LOGIN_SUCCEEDED"] as const).map((type) => {
    const { proof, rest } = row({ type, ...LOGIN });
    return `${proof} ${"passwordHash" in rest}`;
  });
  assert.deepEqual(hashes, ["now false", "now false", "null true"]);
});

test("a report of Fail2ban says what was done about it", () => {
  const lines = Array.from({ length: 6 }, (_, i) => ({ text: `line ${i}`, at: NOON, about: "log" as const }));
  const report: Event = { ...JAIL_REPORT, lines };
  assert.equal(line(report, decision("refuse", "jail_report")), "JAIL_REPORTED banned, null, null");
  for (const reason of ["gateway", "known_address", "provider_busy", "repeated_password", "wanted_busy"] as const)
    assert.equal(line(report, decision("pass", reason)), "SPARED spared, null, null");
  for (const reason of ["judged_live", "below_limit", "forgeable", "banned", "report_seen", "report_late"] as const)
    assert.equal(line(report, decision("pass", reason)), "JAIL_REPORTED attached, null, null");
  const offences = "jail postfix: 3 offences, the last at 2026-11-20T12:00:00.000Z";
  assert.equal(row(report).details, `${offences} | line 1 | line 2 | line 3 | line 4 | line 5`);
  assert.match(row({ ...report, jail: "ids:suricata" }).details, /^ids:suricata: 3 offences, /);
});

test("details name the service first, then the client's text, which cannot end a line", () => {
  const details = (event: Event) => row(event).details;
  assert.equal(details({ type: "CONNECT", ...MAIL }), "smtp");
  assert.equal(details({ type: "CONNECT", ...MAIL, clientName: "mx\n.test" }), "smtp mx\\x0a.test");
  const mail = "smtp from=<someone@example.net> to=<owner@example.org>";
  const asked = `${mail} helo=<sender.example.net>`;
  assert.equal(details(RECIPIENT), asked);
  const blockListing = { zone: "zen.spamhaus.org", meaning: "127.0.0.2, SBL" };
  assert.equal(details({ ...RECIPIENT, blockListing }), `${asked} listed=zen.spamhaus.org (127.0.0.2, SBL)`);
  assert.equal(details({ ...RECIPIENT, recipient: null }), asked.replace("owner@example.org", ""));
  assert.equal(details({ ...MESSAGE, sizeBytes: 9, queueId: "4ABC" }), `${mail} size=9 queue_id=4ABC`);
  assert.equal(details({ ...DATA, recipient: null }), "smtp from=<someone@example.net> to 1 recipient");
  assert.equal(details({ type: "LOGIN_FAILED", ...LOGIN }), "imap login=<User@example.org>");
  const withPasskey = details({ type: "LOGIN_SUCCEEDED", ...LOGIN, passkey: "blue key" });
  assert.equal(withPasskey, "imap login=<User@example.org> with passkey blue key");
  assert.equal(details({ ...DATA, sender: "x".repeat(500) }).length, 355);
  assert.equal(row({ ...RECIPIENT, sender: "x".repeat(2_000) }).sender, "x".repeat(1_024));
});

test("a refused command is a separate event with its network; one that was carried out is recorded by its changes", () => {
  const asked = { prefix: PREFIX, note: "", durationMs: null, by: "root" } as const;
  const ban: Event = { type: "BAN_ASKED", ...asked };
  assert.equal(line(ban, REFUSE), "BAN_REFUSED refused, null, null");
  assert.partialDeepStrictEqual(row(ban, REFUSE), { ip: MAIL.ip, details: `${PREFIX} by root` });
  const leaves = (event: Event, decided: Decision = PASS): boolean =>
    recordOf(event, decided, { prefix: PREFIX, at: NOON }) !== null;
  const unrecorded = { ...REFUSE, recorded: false };
  assert.deepEqual([leaves(ban), leaves(ban, REFUSE), leaves(ban, unrecorded)], [false, true, false]);
  for (const type of ["UNBAN_ASKED", "ALLOW_ASKED", "DISALLOW_ASKED", "ALLOW_EXPIRED", "BAN_EXPIRED"] as const)
    assert.equal(leaves({ type, ...asked }, REFUSE), false);
  assert.equal(leaves({ type: "CONNECT", ...MAIL }), true);
});

test("a change that people want to see has its own event", () => {
  const line = (change: Change): string => {
    const record = changeRecord(change, NOON);
    if (record === null) return "none";
    const { type, ip: from, reason, details, action } = readBack(record);
    return `${type} ${from} ${reason}: ${details} | ${action}`;
  };
  const network = prefixOf(ip("2001:db8::7"), 64);
  const by = "root";
  assert.equal(
    line({ type: "BAN", ban: BAN }),
    `BAN 203.0.113.7 mail_limit: ${PREFIX} by engine: ${BAN.reason} | ` +
      "banned for 29m until 2026-11-20T12:29:00.000Z (light, offence 1)",
  );
  assert.match(line({ type: "BAN", ban: { ...BAN, expiresAt: null, offences: 0 } }), /banned permanently \(light\)$/);
  const would = /\(simulated: would be banned\) \| would be banned for 29m /;
  assert.match(line({ type: "BAN", ban: { ...BAN, simulated: true } }), would);
  const lift = { type: "LIFT", prefix: network, cause: "UNBAN", forgiven: true, by } as const;
  assert.equal(line(lift), "UNBAN 2001:db8:: null: 2001:db8::/64 by root | lifted");
  const allow = { type: "ALLOW", prefix: PREFIX, note: "office", by, expiresAt: null } as const;
  assert.equal(line(allow), `ALLOW_ADDED 203.0.113.7 null: ${PREFIX} by root: office | allow-listed`);
  assert.match(line({ ...allow, expiresAt: later(NOON, HOUR_MS) }), /allow-listed until 2026-11-20T13:00:00\.000Z$/);
  const disallow = { type: "DISALLOW", prefix: PREFIX, cause: "ALLOW_EXPIRED", by } as const;
  assert.equal(line(disallow), `ALLOW_EXPIRED 203.0.113.7 null: ${PREFIX} by root | removed`);
  const spare = { type: "SPARE", prefix: PREFIX, ip: MAIL.ip, why: "gateway", code: "mail_limit" } as const;
  assert.equal(line(spare), `SPARED 203.0.113.7 gateway: ${PREFIX}: Too many mails. | not banned`);
  assert.equal(line({ type: "FORGET_GUESSES", account: null }), "none");
  assert.equal(line({ type: "KNOW", prefix: PREFIX, account: "anna@example.org", passwordHash: "" }), "none");
});

test("an administrator's action names its subject and the person", () => {
  const added = readBack(auditRecord({ type: "ACCOUNT_ADDED", subject: "anna\n", by: "root" }, NOON));
  const done = { type: "ACCOUNT_ADDED", details: "anna\\x0a by root", action: "done", ip: null };
  assert.partialDeepStrictEqual(added, done);
  const granted = auditRecord({ type: "TOKEN_CREATED", subject: "backup", grants: "read", by: "root" }, NOON);
  assert.equal(readBack(granted).details, "backup (read) by root");
  const released = auditRecord({ type: "ACCOUNT_RELEASED", subject: "anna", until: NOON, by: "web" }, NOON);
  assert.partialDeepStrictEqual(readBack(released).rest, { until: NOON });
  const refused = auditRecord({ type: "COMMAND_REFUSED", subject: "ban", by: "web" }, NOON);
  assert.equal(readBack(refused).action, "refused");
});

test("240 characters of a log line are shown; one more is kept, so that it still prints as truncated", () => {
  const line = { text: "z".repeat(500), at: NOON, about: "log" } as const;
  const { details, rest } = row({ ...JAIL_REPORT, lines: [line] });
  assert.equal(details.match(/z+…/)?.[0].length, 240);
  assert.equal(JSON.stringify(rest).match(/z+/)?.[0].length, 241);
});

test("a decision without effect says what it would have been", () => {
  const context = { prefix: PREFIX, at: NOON, seen: { firstContact: true } } as const;
  const { details, action, rest } = readBack(recordOf(RECIPIENT, { ...PASS, simulated: "refuse" }, context));
  assert.match(details, /helo=<sender\.example\.net> \(simulated: would be refused\)$/);
  assert.equal(action, "allowed; would be refused");
  assert.deepEqual("seen" in rest && rest.seen, { firstContact: true, simulated: "refuse" });
});

test("the guard's own refusals are distinguished from those of Postfix, Dovecot and the milters", () => {
  for (const reason of ["recipient_unknown", "block_listed", "banned", "bounce_recipients"] as const)
    assert.ok(LIVE_REFUSALS.includes(reason), reason);
  const ofOthers = ["relay_refused", "helo_refused", "spam_refused", "dmarc_refused", "mailbox_full"] as const;
  for (const reason of [...ofOthers, "below_limit"] as const) assert.ok(!LIVE_REFUSALS.includes(reason), reason);
});

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
