import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, NOON } from "../../../test/kit/samples.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { instant, later } from "../../core/time.ts";
import type { SendingHistory } from "../storage-ports.ts";
import { UnrecordedSends } from "./unrecorded-facts.ts";

const ANNA = "anna@example.test";
const ONE = { recipients: 1, written: 0, strangers: 1 };
const DATABASE: SendingHistory = {
  sentMails: () => [{ at: later(NOON, -60), ...ONE }],
  hasWritten: () => false,
  knowsPlace: () => false,
  holdOf: () => ({ evidence: null, vouchedAt: instant(7) }),
  refusals: () => 4,
};
const UNREADABLE = new Proxy(DATABASE, { get: () => () => assert.fail() });
const PLACE = hostPrefix(ip("203.0.113.7"));
const ASKED = [PLACE, { firstBy: NOON, decidedAfter: NOON }] as const;

function mail(n: number) {
  return { session: "s", transaction: `a${n}` };
}
function agoIn(history: SendingHistory, since = later(NOON, -1_000), most = 10): readonly number[] {
  return history.sentMails(ANNA, since, most).map(({ at }) => NOON - at);
}

test("counts mails together with those in the database, in order, within the window and only for their account", () => {
  const sends = new UnrecordedSends();
  sends.count(ANNA, mail(1), { at: later(NOON, -90), ...ONE });
  sends.count(ANNA, mail(2), { at: later(NOON, -30), ...ONE });
  sends.count("bert@example.test", mail(3), { at: later(NOON, -20), ...ONE });
  const history = sends.beside(DATABASE, null);
  assert.deepEqual(agoIn(history), [90, 60, 30]);
  assert.deepEqual(agoIn(history, later(NOON, -90)), [60, 30]);
  assert.deepEqual(agoIn(history, undefined, 2), [60, 30], "the newest");
  assert.deepEqual([history.hasWritten(ANNA, "eve@example.net"), history.refusals(ANNA, NOON)], [false, 4]);
  assert.deepEqual([history.knowsPlace(ANNA, ...ASKED), history.holdOf(ANNA).vouchedAt], [false, 7]);
});

test("a mail that is decided twice counts once, even if it was finally recorded", () => {
  const sends = new UnrecordedSends();
  for (let i = 0; i < 2; i++) sends.count(ANNA, mail(1), { at: later(NOON, -30), ...ONE });
  sends.count(ANNA, mail(2), { at: later(NOON, -60), ...ONE });
  assert.deepEqual(agoIn(sends.beside(DATABASE, null)), [60, 30]);
  assert.deepEqual(agoIn(sends.beside(DATABASE, mail(1))), [60], "not before itself");
});

test("if the database cannot be read, only memory counts, and every account is known", () => {
  const sends = new UnrecordedSends();
  sends.count(ANNA, mail(1), { at: later(NOON, -30), ...ONE });
  const history = sends.beside(UNREADABLE, null);
  assert.deepEqual(agoIn(history), [30]);
  assert.deepEqual([history.hasWritten(ANNA, "eve@example.net"), history.knowsPlace(ANNA, ...ASKED)], [true, true]);
  assert.deepEqual([history.holdOf(ANNA), history.refusals(ANNA, NOON)], [{ evidence: null, vouchedAt: 0 }, 0]);
});

test("remembers 128 accounts with 512 mails each", () => {
  const sends = new UnrecordedSends();
  for (let i = 0; i < 600; i++) sends.count(ANNA, mail(i), { at: later(NOON, i), ...ONE });
  const history = sends.beside(UNREADABLE, null);
  for (let i = 0; i < 128; i++) {
    assert.equal(history.sentMails(ANNA, NOON, 1_000).length, 512);
    sends.count(`user${i}@example.test`, mail(i), { at: NOON, ...ONE });
  }
  assert.deepEqual(history.sentMails(ANNA, NOON, 1_000), []);
});
