import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, ip, MAIL, NOON, STRANGER } from "../../test/kit/samples.ts";
import { LOST_ACTION } from "../core/alerts/rules.ts";
import { type Change, type Decision, decision } from "../core/decide/decision.ts";
import type { Event, LoginFacts, Observation, Service } from "../core/events/event.ts";
import { hostPrefix, prefixOf } from "../core/net/ip.ts";
import { HOUR_MS, later } from "../core/time.ts";
import { auditRow, changeRow, eventRow, leavesRow, observationRow } from "./record.ts";

const PREFIX = hostPrefix(STRANGER);
const LOGIN: LoginFacts = { ip: STRANGER, service: "imap", login: "Anna@example.org", passwordHash: "proof" };
const PASS = decision("pass", "below_limit");
const REFUSE = decision("refuse", "banned", { counted: false });
const DEFER = decision("defer", "provider_busy");

function row(event: Event, decided: Decision = PASS) {
  return eventRow(event, decided, PREFIX, NOON);
}

/** `TYPE action, counted as what, for which account`. */
function told(event: Event, decided: Decision = PASS): string {
  const { type, action, counts, account } = row(event, decided);
  return `${type} ${action}, ${counts}, ${account}`;
}

test("a row holds what was seen, what was decided and on what evidence", () => {
  const evidence = { count: 11, limit: 10, windowMs: 60_000 };
  const decided = decision("refuse", "mail_limit", { evidence });
  assert.deepEqual(row({ type: "MAIL", recipientCount: 3, ...MAIL, recipient: null }, decided), {
    at: NOON,
    type: "EMAIL_BLOCKED",
    ip: STRANGER,
    prefix: PREFIX,
    account: null,
    proof: null,
    counts: "mail",
    reason: "mail_limit",
    count: 11,
    limit: 10,
    windowMs: 60_000,
    details: "smtp from=<someone@example.net> to 3 recipients",
    action: "refused",
  });
});

test("each event has its public type, by what became of it", () => {
  const recipient: Event = { type: "RECIPIENT", listed: null, senderExists: null, ...MAIL };
  const mail: Event = { type: "MAIL", recipientCount: 1, ...MAIL };
  const message: Event = { type: "MESSAGE", recipientCount: 1, sizeBytes: 9, ...MAIL };
  const connect: Event = { type: "CONNECT", ...MAIL };
  const byAccount = { account: "anna@example.org" };
  for (const [expected, event, decided] of [
    ["CONNECT allowed, connection, null", connect, PASS],
    ["CONNECT_REFUSED refused, null, null", connect, REFUSE],
    ["CONNECT_DEFERRED deferred, connection, null", connect, DEFER],
    ["RECIPIENT allowed, probe, null", recipient, PASS],
    ["GREYLIST_ASKED left to Postgrey, probe, null", recipient, decision("pass", "greylist_asked")],
    ["EMAIL_BLOCKED refused, null, null", recipient, REFUSE],
    ["RECIPIENT allowed, bounce, null", { ...recipient, sender: "" }, PASS],
    ["EMAIL_DEFERRED deferred, probe, null", recipient, DEFER],
    ["EMAIL allowed, mail, null", mail, PASS],
    ["EMAIL_DEFERRED deferred, mail, null", mail, DEFER],
    ["EMAIL allowed, account_mail, anna@example.org", { ...mail, ...byAccount }, PASS],
    ["EMAIL_ACCEPTED allowed, null, anna@example.org", { ...message, ...byAccount }, PASS],
    ["EMAIL_BLOCKED refused, null, null", message, REFUSE],
    [
      "LOGIN_DELAYED delayed, login, Anna@example.org",
      { type: "LOGIN_ASKED", ...LOGIN },
      decision("delay", "known_address"),
    ],
    ["LOGIN_REFUSED refused, null, Anna@example.org", { type: "LOGIN_ASKED", ...LOGIN }, REFUSE],
    ["LOGIN_FAILED allowed, login, Anna@example.org", { type: "LOGIN_FAILED", ...LOGIN }, PASS],
    ["LOGIN_FAILED allowed, login, null", { type: "LOGIN_FAILED", ...LOGIN, login: "" }, PASS],
    ["LOGIN_SUCCEEDED allowed, null, Anna@example.org", { type: "LOGIN_SUCCEEDED", ...LOGIN }, PASS],
  ] as const)
    assert.equal(told(event, decided), expected);
});

test("only a password that failed or was not let through is told apart", () => {
  const proof = (type: "LOGIN_ASKED" | "LOGIN_FAILED" | "LOGIN_SUCCEEDED") => row({ type, ...LOGIN }).proof;
  assert.deepEqual([proof("LOGIN_ASKED"), proof("LOGIN_FAILED"), proof("LOGIN_SUCCEEDED")], ["proof", "proof", null]);
});

test("a report of Fail2ban says what was done about it", () => {
  const report: Event = {
    type: "JAIL_REPORTED",
    ip: STRANGER,
    jail: "postfix",
    failures: 3,
    limit: 3,
    windowMs: 600_000,
    banMs: 600_000,
    lastAt: NOON,
    clientName: null,
    lines: [
      { text: "first line", at: NOON, about: "log" },
      { text: "second line", at: NOON, about: "log" },
    ],
  };
  assert.equal(told(report, decision("refuse", "jail_report")), "JAIL_REPORTED banned, null, null");
  assert.equal(told(report, decision("pass", "gateway")), "SPARED spared, null, null");
  for (const reason of ["banned", "report_seen", "report_late"] as const)
    assert.equal(told(report, decision("pass", reason)), "JAIL_REPORTED attached, null, null");
  assert.equal(
    row(report).details,
    "jail postfix: 3 offences, the last at 2026-11-20T12:00:00.000Z | first line | second line",
  );
});

test("details name the door first, then what the client said, and nobody else's text ends a line", () => {
  const details = (event: Event) => row(event).details;
  assert.equal(details({ type: "CONNECT", ...MAIL }), "smtp");
  assert.equal(details({ type: "CONNECT", ...MAIL, clientName: "mx\n.test" }), "smtp mx\\x0a.test");
  const recipient = { type: "RECIPIENT", listed: null, senderExists: null, ...MAIL } as const;
  const asked = "smtp from=<someone@example.net> to=<owner@example.org> helo=<sender.example.net>";
  assert.equal(details(recipient), asked);
  const listed = { zone: "zen.spamhaus.org", meaning: "127.0.0.2, SBL" };
  assert.equal(details({ ...recipient, listed }), `${asked} listed=zen.spamhaus.org (127.0.0.2, SBL)`);
  assert.equal(details({ ...recipient, recipient: null }), asked.replace("owner@example.org", ""));
  assert.equal(
    details({ type: "MESSAGE", recipientCount: 1, sizeBytes: 9, ...MAIL, queueId: "4ABC" }),
    "smtp from=<someone@example.net> to=<owner@example.org> size=9 queue_id=4ABC",
  );
  assert.equal(details({ type: "LOGIN_FAILED", ...LOGIN }), "imap login=<Anna@example.org>");
  assert.equal(details({ type: "MAIL", recipientCount: 1, ...MAIL, sender: "x".repeat(500) }).length, 355);
});

test("a command that was refused is an event of its own, named by its network; one that was done is told by its changes", () => {
  const asked = { prefix: PREFIX, note: "", durationMs: null, by: "root" } as const;
  const ban: Event = { type: "BAN_ASKED", ...asked };
  assert.equal(told(ban, REFUSE), "BAN_REFUSED refused, null, null");
  assert.deepEqual([row(ban).ip, row(ban).details], [STRANGER, `${PREFIX} by root`]);
  assert.equal(told({ type: "UNBAN_ASKED", ...asked }), "UNBAN allowed, null, null");
  assert.equal(told({ type: "ALLOW_ASKED", ...asked }), "ALLOW_ADDED allowed, null, null");
  assert.equal(told({ type: "DISALLOW_ASKED", ...asked }), "ALLOW_REMOVED allowed, null, null");
  assert.equal(row({ type: "BAN_EXPIRED", prefix: PREFIX }).details, PREFIX);
  const leaves = (event: Event, decided: Decision = PASS): boolean => leavesRow(event, decided);
  assert.deepEqual(
    [leaves(ban), leaves(ban, REFUSE), leaves(ban, { ...REFUSE, recorded: false })],
    [false, true, false],
  );
  for (const type of ["UNBAN_ASKED", "ALLOW_ASKED", "DISALLOW_ASKED", "ALLOW_EXPIRED", "BAN_EXPIRED"] as const)
    assert.equal(leaves({ type, ...asked }, REFUSE), false);
  assert.equal(leaves({ type: "CONNECT", ...MAIL }), true);
});

test("a change that people want to see is a row by itself", () => {
  const line = (change: Change): string => {
    const made = changeRow(change, NOON);
    return made === null ? "none" : `${made.type} ${made.ip} ${made.reason}: ${made.details} | ${made.action}`;
  };
  const network = prefixOf(ip("2001:db8::7"), 64);
  const by = "root";
  assert.equal(
    line({ type: "BAN", ban: BAN }),
    `BAN 203.0.113.7 mail_limit: ${PREFIX} by engine: ${BAN.reason} | ` +
      "banned for 29m until 2026-11-20T12:29:00.000Z (light, offence 1)",
  );
  assert.match(line({ type: "BAN", ban: { ...BAN, expiresAt: null, offences: 0 } }), /banned for good \(light\)$/);
  assert.equal(
    line({ type: "LIFT", prefix: network, cause: "UNBAN", forgiven: true, by }),
    "UNBAN 2001:db8:: null: 2001:db8::/64 by root | lifted",
  );
  const allow = { type: "ALLOW", prefix: PREFIX, note: "office", by } as const;
  assert.equal(
    line({ ...allow, expiresAt: null }),
    `ALLOW_ADDED 203.0.113.7 null: ${PREFIX} by root: office | allow-listed`,
  );
  assert.match(line({ ...allow, expiresAt: later(NOON, HOUR_MS) }), /allow-listed until 2026-11-20T13:00:00\.000Z$/);
  assert.equal(
    line({ type: "DISALLOW", prefix: PREFIX, cause: "ALLOW_EXPIRED", by }),
    `ALLOW_EXPIRED 203.0.113.7 null: ${PREFIX} by root | removed`,
  );
  assert.match(
    line({ type: "SPARE", prefix: PREFIX, ip: STRANGER, why: "gateway", code: "mail_limit" }),
    /^SPARED 203\.0\.113\.7 gateway: 203\.0\.113\.7\/32: Too many mails\. \| not banned$/,
  );
  assert.equal(line({ type: "FORGET_GUESSES", account: null }), "none");
  assert.equal(line({ type: "KNOW", prefix: PREFIX, account: "anna@example.org", proof: "" }), "none");
});

test("what an administrator did names the thing and the person", () => {
  const { type, details, action, ip: from } = auditRow({ type: "ACCOUNT_ADDED", subject: "anna\n", by: "root" }, NOON);
  assert.deepEqual([type, details, action, from], ["ACCOUNT_ADDED", "anna\\x0a by root", "done", null]);
});

test("what only a log tells is a row too, with the times that it was seen", () => {
  const line = (seen: Observation): string => {
    const made = observationRow(seen, NOON, hostPrefix);
    assert.ok(made !== null);
    const about = `${made.ip ?? "-"} ${made.prefix ?? "-"} ${made.account ?? "-"} ${made.reason ?? "-"}`;
    return `${made.type} ${about}: ${made.details} | ${made.action}`;
  };
  const at = { ip: STRANGER, service: "imap" as Service, times: 1 };
  const scored = { type: "SPAM_SCORED", required: 5, messageId: "<a@b>", recipient: null } as const;
  assert.equal(line({ ...scored, score: 5 }), "SPAM_SCORED - - - -: score=5 required=5 message_id=<a@b> | marked");
  assert.equal(
    line({ ...scored, score: 4.9, recipient: "anna@example.org" }),
    "SPAM_SCORED - - - -: score=4.9 required=5 message_id=<a@b> to=<anna@example.org> | allowed",
  );
  const fault = { type: "CLIENT_FAULT", ...at, reason: "timed_out", detail: "after CONNECT" } as const;
  assert.equal(line(fault), `SESSION_FAULT 203.0.113.7 ${PREFIX} - timed_out: imap after CONNECT | noted`);
  assert.match(line({ ...fault, times: 2 }), /after CONNECT \(2 times\) \| noted$/);
  assert.match(line({ ...fault, reason: "tls_failed" }), /^TLS_FAILED /);
  for (const reason of ["relay_refused", "helo_refused", "sender_refused"] as const)
    assert.match(line({ ...fault, reason }), /^EMAIL_BLOCKED /);
  const unseen = { type: "LOGIN_UNSEEN", ...at, login: "anna@example.org" } as const;
  assert.equal(
    line(unseen),
    `LOGIN_FAILED 203.0.113.7 ${PREFIX} anna@example.org unseen_login_failure: imap login=<anna@example.org> | noted`,
  );
  assert.match(
    line({ ...unseen, login: "", times: 3 }),
    / - unseen_login_failure: imap login=<> \(3 times\) \| noted$/,
  );
});

test("what content was refused for names the mail, and a judgement of a mail is no row of its own", () => {
  const about = { ip: STRANGER, reason: "spam_refused", account: null, queueId: "4ABC", sender: "a@b.test" } as const;
  const refused = { type: "CONTENT_REFUSED", ...about, recipient: "anna@example.org", reply: "5.7.1 no" } as const;
  const made = observationRow(refused, NOON, hostPrefix);
  assert.deepEqual(
    [made?.type, made?.ip, made?.prefix, made?.reason, made?.details, made?.action],
    [
      "EMAIL_BLOCKED",
      STRANGER,
      PREFIX,
      "spam_refused",
      "smtp from=<a@b.test> to=<anna@example.org> queue_id=4ABC: 5.7.1 no",
      "refused",
    ],
  );
  assert.equal(observationRow({ type: "MAIL_JUDGED", queueId: "4ABC", found: "spam" }, NOON, hostPrefix), null);
});

test("of a line of a log 240 characters are evidence enough", () => {
  const line = { text: "z".repeat(500), at: NOON, about: "log" } as const;
  const report: Event = {
    type: "JAIL_REPORTED",
    ip: STRANGER,
    jail: "postfix",
    failures: 3,
    limit: 3,
    windowMs: 600_000,
    banMs: 600_000,
    lastAt: NOON,
    clientName: null,
    lines: [line],
  };
  assert.equal(row(report).details.match(/z+/)?.[0].length, 239);
});

test("what became of a mail is told, and lost is what was refused for somebody here or for an alias", () => {
  const tried = {
    type: "MAIL_TRIED",
    queueId: "72CED1EABE5",
    recipient: "anna@example.org",
    alias: null,
    relay: "smtp mx.test",
    reply: "",
    server: null,
  } as const;
  const of = (seen: Partial<Extract<Observation, { type: "MAIL_TRIED" }>>): string => {
    const made = observationRow({ ...tried, outcome: "bounced", ...seen }, NOON, hostPrefix);
    return `${made?.type} ${made?.action === LOST_ACTION ? "lost" : made?.action}`;
  };
  assert.equal(of({ outcome: "sent" }), "EMAIL_DELIVERED delivered");
  assert.equal(of({ outcome: "deferred" }), "EMAIL_DELAYED tried again later");
  assert.equal(of({}), "EMAIL_BOUNCED returned to its sender");
  assert.equal(of({ relay: "lmtp private/dovecot-lmtp" }), "EMAIL_BOUNCED lost");
  assert.equal(of({ alias: "info@example.org" }), "EMAIL_BOUNCED lost");
});
