import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ip, MAIL, net } from "../../../test/kit/samples.ts";
import { ann, engineDatabase, START } from "../../../test/kit/test-database.ts";
import { decision } from "../../core/decide/decision.ts";
import { recordOf } from "../../core/events/event.ts";
import { DAY_MS, HOUR_MS, isoTime, later } from "../../core/time.ts";
import { HELD_BY_HAND } from "../../guard/admin-ports.ts";
import { sqliteHeldMail, sqliteMailChanges } from "./held-mail.ts";
import { sqliteSendingHistory } from "./sending-history.ts";

const EVIDENCE = { count: 21, limit: 20, windowMs: HOUR_MS, key: "limits.sending.strangers" };
const PLACE = { prefix: net("203.0.113.66"), ip: ip("203.0.113.66") };
const HOLD = { type: "HOLD_ACCOUNT", account: ann, ...PLACE, evidence: EVIDENCE } as const;

const TIMES = { firstBy: START, decidedAfter: START };

function fresh(t: TestContext) {
  const { db, store } = engineDatabase(t);
  const [holds, held] = [{ apply: sqliteMailChanges(db) }, sqliteHeldMail(db)];
  const history = sqliteSendingHistory(db);
  const holdOf = (account: string, now = later(START, DAY_MS)) => history.holdOf(account, now);
  return { store, holds, held, history, holdOf };
}

test("an account is held until its owner vouches for it, and may be held again", (t) => {
  const { holds, holdOf } = fresh(t);
  assert.deepEqual(holdOf(ann), { evidence: null, vouchedAt: 0, mails: 0 });
  holds.apply(HOLD, START);
  assert.deepEqual(holdOf(ann), { evidence: EVIDENCE, vouchedAt: 0, mails: 0 });
  assert.equal(holdOf("bob@example.org").evidence, null);
  holds.apply({ type: "END_HOLD", account: ann, until: later(START, -1) }, later(START, 4));
  assert.deepEqual(holdOf(ann).evidence, EVIDENCE, "the owner vouched for earlier mail");
  holds.apply({ type: "END_HOLD", account: ann, until: START }, later(START, 5));
  assert.deepEqual(holdOf(ann), { evidence: null, vouchedAt: later(START, 5), mails: 0 });
  const evidence = { count: 31, limit: 30, windowMs: DAY_MS, key: "limits.sending.strangers_per_day" };
  holds.apply({ ...HOLD, evidence }, later(START, 9));
  holds.apply({ type: "DISOWN_HOLD", account: ann }, later(START, 10));
  assert.deepEqual(holdOf(ann), { evidence, vouchedAt: later(START, 5), mails: 0 }, "although its mail was dropped");
  holds.apply({ type: "END_HOLD", account: ann }, later(START, 365 * DAY_MS));
  const setBack = { evidence: null, vouchedAt: later(START, 5), mails: 0 };
  assert.deepEqual(holdOf(ann), setBack, "the clock was ahead at the second release");
});

test("a hold ends when its account is removed; the mail stays on hold and makes no recipient known", (t) => {
  const { holds, held, history, holdOf } = fresh(t);
  holds.apply(HOLD, START);
  const mail = { type: "HOLD_MAIL", account: ann, ip: HOLD.ip, recipientCount: 1, queueId: "A1" } as const;
  holds.apply({ ...mail, recipients: ["one@example.net"] }, START);
  holds.apply({ type: "DISOWN_HOLD", account: ann, ends: true }, later(START, 5));
  assert.deepEqual(holdOf(ann), { evidence: null, vouchedAt: later(START, 5), mails: 0 });
  assert.deepEqual(held.accounts(), []);
  const ids = held.held(ann).map(({ queueId }) => queueId);
  assert.deepEqual(ids, ["A1"]);
  assert.equal(history.hasWritten(ann, "one@example.net"), false);
  assert.equal(history.knowsPlace(ann, HOLD.prefix, TIMES), false);
});

test("a new account does not inherit the correspondents of an earlier account with its name", (t) => {
  const { holds, history } = fresh(t);
  const accounts = [ann, "Ann@example.org", "bob@example.org"];
  for (const account of accounts) holds.apply({ type: "CORRESPOND", account, address: "old@example.net" }, START);
  holds.apply({ type: "FORGET_CORRESPONDENTS", account: ann }, later(START, 6));
  assert.deepEqual(
    accounts.map((account) => history.hasWritten(account, "old@example.net")),
    [false, false, true],
  );
});

test("mail that is on hold does not count as sent", (t) => {
  const { store, holds, held } = fresh(t);
  store.begin();
  for (const queueId of ["A1", "A2"]) {
    const event = { type: "DATA", ...MAIL, account: ann, recipientCount: 1, queueId } as const;
    const where = { at: later(START, 1), prefix: HOLD.prefix };
    store.append(recordOf(event, decision("pass", "below_limit", { counted: true }), where) ?? assert.fail());
  }
  const mail = { type: "HOLD_MAIL", account: ann, ip: HOLD.ip, recipientCount: 1, recipients: [] } as const;
  holds.apply({ ...mail, queueId: "A2" }, START);
  store.commit();
  store.indexWaiting();
  const sent = held.sent(ann, START).map(({ queueId }) => queueId);
  assert.deepEqual(sent, ["A1"]);
});

test("once held mail is released, its recipients have been written to and its place is known", (t) => {
  const { holds, history, holdOf } = fresh(t);
  holds.apply(HOLD, START);
  const mail = { type: "HOLD_MAIL", account: ann, ip: HOLD.ip, recipientCount: 2 } as const;
  holds.apply({ ...mail, queueId: "A1", recipients: ["one@example.net", "two@example.net"] }, START);
  holds.apply({ ...mail, queueId: "A2", recipients: [] }, START);
  holds.apply({ ...mail, queueId: "A3", recipients: ["three@example.net"] }, START);
  assert.equal(holdOf(ann).mails, 3);
  holds.apply({ type: "FORGET_HELD", queueIds: ["A3"] }, START);
  assert.equal(holdOf(ann).mails, 2);
  assert.equal(history.hasWritten(ann, "one@example.net"), false);
  assert.equal(history.knowsPlace(ann, HOLD.prefix, TIMES), false);
  holds.apply({ type: "END_HOLD", account: ann }, later(START, 5));
  const wrote = ["one", "two", "three"].map((name) => history.hasWritten(ann, `${name}@example.net`));
  assert.deepEqual(wrote, [true, true, false], "dropped mail does not count as written");
  assert.equal(history.knowsPlace(ann, HOLD.prefix, TIMES), true);
  assert.equal(history.knowsPlace("bob@example.org", HOLD.prefix, TIMES), false);
});

test("a place that the owner vouched for is not known to the next account with the same name", (t) => {
  const { holds, history } = fresh(t);
  const bob = "bob@example.org";
  for (const account of [ann, bob]) {
    holds.apply({ ...HOLD, account }, START);
    holds.apply({ type: "END_HOLD", account }, later(START, 5));
  }
  holds.apply({ type: "DISOWN_HOLD", account: ann, ends: true }, later(START, 6));
  const known = [ann, bob].map((account) => history.knowsPlace(account, HOLD.prefix, TIMES));
  assert.deepEqual(known, [false, true]);
});

test("a place that the owner vouched for stays known as long as one known from sign-ins", (t) => {
  const { holds, history } = fresh(t);
  holds.apply(HOLD, START);
  holds.apply({ type: "END_HOLD", account: ann }, later(START, 5));
  const known = [4, 5].map((ms) =>
    history.knowsPlace(ann, HOLD.prefix, { firstBy: START, decidedAfter: later(START, ms) }),
  );
  assert.deepEqual(known, [true, false]);
});

test("a place whose held mail was dropped stays new despite more sign-ins, but the owner's own place does not", (t) => {
  const { store, holds, history } = fresh(t);
  store.begin();
  t.after(() => store.rollback());
  const own = net("198.51.100.7");
  store.apply({ type: "KNOW", prefix: own, account: ann, passwordHash: "" }, START);
  const [signedIn, held] = [later(START, DAY_MS), later(START, DAY_MS + 5)];
  store.apply({ type: "KNOW", prefix: HOLD.prefix, account: ann, passwordHash: "" }, signedIn);
  const knows = (prefix = HOLD.prefix, decidedAfter = START): boolean =>
    history.knowsPlace(ann, prefix, { firstBy: later(START, 9 * DAY_MS), decidedAfter });
  for (const [i, prefix] of [own, HOLD.prefix].entries()) {
    holds.apply({ ...HOLD, prefix }, later(held, i));
    assert.ok(knows(prefix));
    holds.apply({ type: "DISOWN_HOLD", account: ann }, later(held, 3));
    holds.apply({ type: "END_HOLD", account: ann }, later(held, 4));
    assert.equal(knows(prefix), prefix === own);
  }
  assert.ok(knows(HOLD.prefix, later(held, 3)), "not for good");
  holds.apply(HOLD, later(held, 5));
  holds.apply({ type: "END_HOLD", account: ann }, later(held, 6));
  assert.ok(knows(), "the owner vouches for it later");
});

test("a quoted recipient that contains blanks makes no other address known", (t) => {
  const { holds, history } = fresh(t);
  holds.apply(HOLD, START);
  const recipients = ['"a boss@example.net b"@example.com', "one@example.net"];
  holds.apply({ type: "HOLD_MAIL", account: ann, ip: null, recipientCount: 2, queueId: "A1", recipients }, START);
  holds.apply({ type: "END_HOLD", account: ann }, later(START, 5));
  const wrote = ["boss@example.net", "one@example.net"].map((address) => history.hasWritten(ann, address));
  assert.deepEqual(wrote, [false, true]);
});

test("held accounts and mails, newest first; released and dropped ones are gone", (t) => {
  const { holds, held } = fresh(t);
  const recipients = Array.from({ length: 7 }, (_, n) => `${n}@example.net`);
  for (const [i, account] of [ann, "bob@example.org"].entries()) {
    holds.apply({ ...HOLD, account }, later(START, i));
    const mail = { type: "HOLD_MAIL", account, ip: HOLD.ip, recipientCount: 7, queueId: `A${i}` } as const;
    holds.apply({ ...mail, recipients }, later(START, i));
  }
  const byHand = { account: HELD_BY_HAND, ip: null, recipientCount: 0, recipients: [], queueId: "A2" };
  holds.apply({ type: "HOLD_MAIL", ...byHand }, later(START, 2));
  assert.deepEqual([held.holderOf("A2"), ...held.counts().map(({ mails }) => mails)], [HELD_BY_HAND, 1, 1]);
  const accounts = held.accounts().map(({ account, at }) => `${account} ${at}`);
  assert.deepEqual(accounts, [`bob@example.org ${isoTime(later(START, 1))}`, `${ann} ${isoTime(START)}`]);
  const mailsOf = (account: typeof ann | null) =>
    held.held(account).map(({ queueId, recipients }) => `${queueId} to ${recipients.length}`);
  assert.deepEqual(mailsOf(null), ["A1 to 5", "A0 to 5"]);
  assert.deepEqual(mailsOf(ann), ["A0 to 5"]);
  assert.deepEqual(held.noted("", later(START, 2), 9), ["A0", "A1"]);
  assert.deepEqual(held.noted("", later(START, 1), 9), ["A0"], "not yet those of just now");
  assert.deepEqual(held.noted("A0", later(START, 2), 9), ["A1"]);
  assert.deepEqual(held.noted("", later(START, 2), 1), ["A0"]);
  holds.apply({ type: "END_HOLD", account: "bob@example.org" }, later(START, 9));
  holds.apply({ type: "FORGET_HELD", queueIds: ["A1"] }, later(START, 9));
  assert.deepEqual([held.accounts().length, held.held(null).length], [1, 1]);
});
