import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MAIL, net } from "../../../test/kit/samples.ts";
import { engineDatabase, START } from "../../../test/kit/test-database.ts";
import { decision } from "../../core/decide/decision.ts";
import { recordOf } from "../../core/events/event.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { DAY_MS, later } from "../../core/time.ts";
import { sqliteSendingHistory } from "./sending-history.ts";

const ANN = "ann@example.org";

function fresh(t: TestContext) {
  const { db, store } = engineDatabase(t);
  store.begin();
  t.after(() => store.rollback());
  return { store, history: sqliteSendingHistory(db) };
}

test("an account's counted mails are found with their recipients, before and after indexing", (t) => {
  const { store, history } = fresh(t);
  const send = (afterMs: number, recipientCount: number, isCounted: boolean, [written, strangers] = [0, 0]): void => {
    const event = { type: "DATA", ...MAIL, account: ANN, recipientCount } as const;
    const seen = written + strangers > 0 ? { sentTo: { written, strangers } } : undefined;
    const where = { at: later(START, afterMs), prefix: net("203.0.113.7"), seen };
    store.append(recordOf(event, decision("pass", "below_limit", { counted: isCounted }), where) ?? assert.fail());
  };
  send(1, 7, true, [1, 6]);
  send(2, 9, false, [9, 0]);
  send(3, 1, true);
  send(4, 60, true, [60, 0]);
  const mails = [
    { at: later(START, 1), recipients: 7, written: 1, strangers: 6 },
    { at: later(START, 3), recipients: 1, written: 0, strangers: 0 },
    { at: later(START, 4), recipients: 60, written: 60, strangers: 0 },
  ];
  const sent = (since: number, most = 10, until = 9) =>
    history.sentMails(ANN, { since: later(START, since), until: later(START, until), most });
  assert.deepEqual(sent(0), mails);
  store.commit();
  store.indexWaiting();
  store.begin();
  assert.deepEqual(sent(0), mails);
  assert.deepEqual(sent(1), mails.slice(1), "a mail as old as the window is too old");
  assert.deepEqual(sent(0, 2), mails.slice(1), "the newest of too many");
  assert.deepEqual(
    sent(0, 2, 3),
    mails.slice(0, 2),
    "mails from when the clock was ahead do not count towards the limit",
  );
  assert.deepEqual(history.sentMails("bob@example.org", { since: START, until: later(START, 9), most: 10 }), []);
});

test("an account's correspondents are found, and places from which it signed in long enough ago", (t) => {
  const { store, history } = fresh(t);
  store.apply({ type: "CORRESPOND", address: "bob@example.net", account: ANN }, START);
  const wrote = [ANN, "eve@example.org"].map((account) => history.hasWritten(account, "bob@example.net"));
  assert.deepEqual(wrote, [true, false]);
  const place = net("203.0.113.7");
  store.apply({ type: "KNOW", prefix: place, account: ANN, passwordHash: "" }, later(START, 5));
  const knows = (ms: number, from = place): boolean =>
    history.knowsPlace(ANN, from, { firstBy: later(START, ms), decidedAfter: START });
  assert.deepEqual([knows(4), knows(5), knows(9, net("203.0.113.8"))], [false, true, false]);
});

test("a webmail on this machine is known by old enough mails, unless the owner disowned them", (t) => {
  const { store, history } = fresh(t);
  const [local, localV6] = [net("127.0.0.0/8"), net("::1/128")];
  const event = { type: "DATA", ...MAIL, account: ANN, recipientCount: 1 } as const;
  const writeFrom = (prefix: Prefix): void => {
    const where = { at: later(START, 5), prefix, seen: undefined };
    store.append(recordOf(event, decision("pass", "below_limit"), where) ?? assert.fail());
  };
  const knows = (ms: number, account = ANN, place = local): boolean =>
    history.knowsPlace(account, place, { firstBy: later(START, ms), decidedAfter: START });
  writeFrom(local);
  assert.deepEqual([knows(4), knows(5), knows(5, "eve@example.org")], [false, true, false]);
  writeFrom(localV6);
  assert.deepEqual([knows(4, ANN, localV6), knows(5, ANN, localV6)], [false, true], "as ::1 is counted");
  writeFrom(net("203.0.113.7"));
  assert.equal(knows(5, ANN, net("203.0.113.7")), false, "elsewhere only sign-ins count");
  const evidence = { count: 21, limit: 20, windowMs: DAY_MS, key: "limits.sending.strangers" };
  store.apply({ type: "HOLD_ACCOUNT", account: ANN, prefix: local, ip: MAIL.ip, evidence }, later(START, 9));
  store.apply({ type: "DISOWN_HOLD", account: ANN }, later(START, 10));
  assert.equal(knows(5), false);
});

test("refusals are counted for each account within a window, and kept for a day", (t) => {
  const { store, history } = fresh(t);
  const refuse = (afterMs: number, account = ANN): void =>
    store.apply({ type: "NOTE_REFUSAL", account }, later(START, afterMs));
  for (const afterMs of [0, 5, 5, 9]) refuse(afterMs);
  refuse(7, "bob@example.org");
  const within = (afterMs: number, until = 2 * DAY_MS) => ({
    since: later(START, afterMs),
    until: later(START, until),
  });
  const since = (afterMs: number): number => history.refusals(ANN, within(afterMs));
  assert.deepEqual([since(-1), since(0), since(4), since(5), since(9)], [4, 3, 3, 1, 0]);
  assert.equal(history.refusals("eve@example.org", within(0)), 0);
  assert.equal(history.refusals(ANN, within(-1, 5)), 3, "later ones are from before the clock was set back");
  refuse(DAY_MS + 6);
  assert.deepEqual([since(-1), history.refusals("bob@example.org", within(0))], [2, 1]);
});
