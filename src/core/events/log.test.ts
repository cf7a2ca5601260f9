import assert from "node:assert/strict";
import { test } from "node:test";
import { readBack } from "../../../test/kit/read-back.ts";
import { DELIVERED, NOON, STRANGER, UNNAMED } from "../../../test/kit/samples.ts";
import { hostPrefix } from "../net/ip.ts";
import type { Service } from "./event-types.ts";
import { type Observation, observationRecord } from "./log.ts";

const PREFIX = hostPrefix(STRANGER);
const rowOf = (seen: Observation) => readBack(observationRecord(seen, NOON, hostPrefix));

test("an observation from a log is recorded, with how often it was seen", () => {
  const line = (seen: Observation): string => {
    const row = rowOf(seen);
    const about = `${row.ip ?? "-"} ${row.prefix ?? "-"} ${row.account ?? "-"} ${row.reason ?? "-"}`;
    return `${row.type} ${about}: ${row.details} | ${row.action}`;
  };
  const at = { ip: STRANGER, service: "imap" as Service, times: 1 };
  const scored = { type: "SPAM_SCORED", required: 5, messageId: "<a@b>", recipient: null } as const;
  assert.equal(line({ ...scored, score: 5 }), "SPAM_SCORED - - - -: score=5 required=5 message_id=<a@b> | marked");
  const allowed = "SPAM_SCORED - - - -: score=4.9 required=5 message_id=<a@b> to=<anna@example.org> | allowed";
  assert.equal(line({ ...scored, score: 4.9, recipient: "anna@example.org" }), allowed);
  const fault = { type: "CLIENT_FAULT", ...at, reason: "timed_out", detail: "after CONNECT", ...UNNAMED } as const;
  assert.equal(line(fault), `SESSION_FAULT 203.0.113.7 ${PREFIX} - timed_out: imap after CONNECT | noted`);
  assert.match(line({ ...fault, times: 2 }), /after CONNECT \(2 times\) \| noted$/);
  assert.match(line({ ...fault, reason: "tls_failed" }), /^TLS_FAILED /);
  for (const reason of ["relay_refused", "helo_refused", "sender_refused", "recipient_unknown", "too_large"] as const)
    assert.match(line({ ...fault, reason }), /^EMAIL_BLOCKED /);
  for (const reason of ["mailbox_full", "filter_deferred", "postfix_deferred"] as const)
    assert.match(line({ ...fault, reason }), /^EMAIL_DEFERRED /);
  const named = { account: "anna@example.org", sender: "a@b.test", recipient: "bert@example.org" };
  assert.partialDeepStrictEqual(rowOf({ ...fault, reason: "sender_refused", ...named }), named);
  const unseen = { type: "LOGIN_UNSEEN", ...at, login: "anna@example.org" } as const;
  const who = `203.0.113.7 ${PREFIX} anna@example.org`;
  assert.equal(line(unseen), `LOGIN_FAILED ${who} unseen_login_failure: imap login=<anna@example.org> | noted`);
  const nameless = line({ ...unseen, login: "", times: 3 });
  assert.match(nameless, / - unseen_login_failure: imap login=<> \(3 times\) \| noted$/);
});

test("a refusal for content names the mail, and the spam verdict is not recorded separately", () => {
  const client = { ip: STRANGER, account: null, service: "smtp" } as const;
  const about = { reason: "spam_refused", queueId: "4ABC", sender: "a@b.test", recipient: "anna@example.org" } as const;
  const refused = { type: "CONTENT_REFUSED", ...client, ...about, reply: "5.7.1 no" } as const;
  const details = "smtp from=<a@b.test> to=<anna@example.org> queue_id=4ABC: 5.7.1 no";
  const expected = { ip: STRANGER, prefix: PREFIX, reason: "spam_refused", details, action: "refused" };
  assert.partialDeepStrictEqual(rowOf(refused), { type: "EMAIL_BLOCKED", ...expected });
  const later = { type: "EMAIL_DEFERRED", reason: "filter_deferred", action: "deferred" };
  assert.partialDeepStrictEqual(rowOf({ ...refused, reason: "filter_deferred" }), later);
  const looped = { type: "EMAIL_BLOCKED", reason: "mail_loop", details: "queue_id=4ABC", action: "refused" };
  assert.partialDeepStrictEqual(rowOf({ type: "MAIL_LOOPED", queueId: "4ABC" }), looped);
  assert.partialDeepStrictEqual(rowOf({ type: "MAIL_TOO_LARGE", queueId: "4ABC" }), { ...looped, reason: "too_large" });
  const own = { account: "anna@example.org", service: "submissions" } as const;
  assert.partialDeepStrictEqual(rowOf({ ...refused, ...own }), own);
  assert.match(rowOf({ ...refused, ...own }).details, /^submissions /);
  assert.equal(observationRecord({ type: "MAIL_JUDGED", queueId: "4ABC", found: "spam" }, NOON, hostPrefix), null);
});

test("a delivery attempt is recorded; it counts as lost if it was refused for a local recipient or an alias", () => {
  const tried = { ...DELIVERED, outcome: "bounced", relay: "smtp mx.test" } as const;
  const of = (seen: Partial<Extract<Observation, { type: "MAIL_TRIED" }>>): string => {
    const { type, action } = rowOf({ ...tried, ...seen });
    return `${type} ${action}`;
  };
  assert.equal(of({ outcome: "sent" }), "EMAIL_DELIVERED delivered");
  assert.equal(of({ outcome: "deferred" }), "EMAIL_DELAYED tried again later");
  assert.equal(of({}), "EMAIL_BOUNCED failed permanently");
  assert.equal(of({ relay: "lmtp private/dovecot-lmtp" }), "EMAIL_BOUNCED not delivered");
  assert.equal(of({ alias: "info@example.org" }), "EMAIL_BOUNCED not delivered");
  assert.equal(of({ outcome: "expired", alias: "info@example.org" }), "EMAIL_BOUNCED not delivered");
  assert.equal(of({ outcome: "expired", relay: "error none" }), "EMAIL_BOUNCED failed permanently");
  assert.equal(of({ outcome: "returned", alias: "info@example.org" }), "EMAIL_BOUNCED returned to its sender");
  const { details } = rowOf({ ...tried, alias: "info@example.org" });
  assert.match(details, / to=<anna@example\.test> for=<info@example\.org> by smtp mx\.test: 250 Saved$/);
});

test("a delivery records its credit for the server at the other side, a refusal records the account", () => {
  const credit = { type: "CREDIT", prefix: PREFIX, network: PREFIX, mail: "proven" } as const;
  const { rest } = readBack(observationRecord({ ...DELIVERED, server: STRANGER }, NOON, hostPrefix, credit));
  const tried = { event: "MAIL_TRIED", outcome: "sent", relay: "lmtp x", reply: "250 Saved", server: STRANGER };
  assert.deepEqual(rest, { ...tried, credit: { prefix: PREFIX, network: PREFIX, mail: "proven" } });
  const note = { type: "NOTE_REFUSAL", account: "anna@example.org" } as const;
  const refused = observationRecord({ ...DELIVERED, outcome: "bounced" }, NOON, hostPrefix, note);
  assert.equal(refused?.account, "anna@example.org");
});
