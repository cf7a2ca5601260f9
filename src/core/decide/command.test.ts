import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../../../test/kit/mail-examples.ts";
import { accountName, BAN, NOON, net, STRANGER, UNSPARED } from "../../../test/kit/samples.ts";
import { reasons } from "../events/reasons.ts";
import { hostPrefix } from "../net/ip.ts";
import { HOUR_MS, later, type Millis } from "../time.ts";
import { decideNetworkEvent, type NetworkEventFacts, placesSince, sideEffectsOf } from "./command.ts";
import type { Ban } from "./decision.ts";
import { banIn } from "./sparing.ts";

const NOTHING: NetworkEventFacts = { sparing: () => UNSPARED, ban: null, listed: null, covered: [] };
const PREFIX = hostPrefix(STRANGER);
const ASKED = { type: "BAN_ASKED", prefix: PREFIX, note: "scans", durationMs: 2 * HOUR_MS, by: "root" } as const;

test("ban: manual, for the given time", () => {
  const decided = decideNetworkEvent(NOTHING, ASKED, NOON);
  assert.equal(outcomeOf(decided), "pass manual, banned, uncounted");
  const manual = { level: "manual", code: "manual", reason: "scans", source: "root", createdAt: NOON, offences: 0 };
  assert.deepEqual(banIn(decided), { ...BAN, ...manual, expiresAt: later(NOON, 2 * HOUR_MS) });
});

test("ban: without a time, the later end of a ban in force is kept", () => {
  const asked = { ...ASKED, keepsEnd: true };
  const [sooner, wanted, after] = [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS].map((ms) => later(NOON, ms));
  const end = (event: typeof ASKED, ban: Partial<Ban> | null) =>
    banIn(decideNetworkEvent({ ...NOTHING, ban: ban && { ...BAN, ...ban } }, event, NOON))?.expiresAt;
  const ends = [sooner, after, null].map((expiresAt = null) => end(asked, { expiresAt }));
  assert.deepEqual(ends, [wanted, after, null]);
  assert.equal(end(asked, null), wanted);
  assert.equal(end(asked, { expiresAt: null, simulated: true }), wanted, "a simulated ban is not in force");
  assert.equal(end(ASKED, { expiresAt: null }), wanted, "a given time is what lasts");
});

test("ban: refused and recorded where something protects it or a part of it", () => {
  const decided = decideNetworkEvent(
    { ...NOTHING, sparing: () => ({ ...UNSPARED, protection: "gateway" }) },
    ASKED,
    NOON,
  );
  assert.equal(outcomeOf(decided), "refuse gateway, uncounted");
});

test("unban: lifts and forgives a ban in force, refuses if there is none", () => {
  const event = { type: "UNBAN_ASKED", prefix: PREFIX, by: "root" } as const;
  const lift = { type: "LIFT", prefix: PREFIX, cause: "UNBAN", forgiven: true, by: "root" };
  const { changes, counted } = decideNetworkEvent({ ...NOTHING, ban: BAN }, event, NOON);
  assert.deepEqual({ changes, counted }, { changes: [lift], counted: false });
  assert.equal(outcomeOf(decideNetworkEvent(NOTHING, event, NOON)), "refuse not_banned, uncounted");
  assert.match(reasons.slow_guessing.next, /^`unban IP` forgives them while .* banned; otherwise `allow add IP/);
});

test("allow: lists the network and lifts every ban within it", () => {
  const other = net("203.0.113.8");
  const event = { type: "ALLOW_ASKED", prefix: PREFIX, note: "office", durationMs: null, by: "root" } as const;
  const { changes, counted } = decideNetworkEvent({ ...NOTHING, covered: [PREFIX, other] }, event, NOON);
  const lift = { type: "LIFT", cause: "UNBAN", forgiven: true, by: "root" };
  assert.deepEqual(changes, [
    { type: "ALLOW", prefix: PREFIX, note: "office", by: "root", expiresAt: null },
    { ...lift, prefix: PREFIX },
    { ...lift, prefix: other },
  ]);
  assert.ok(!counted);
});

test("disallow: removes listed networks, refuses others", () => {
  const event = { type: "DISALLOW_ASKED", prefix: PREFIX, by: "root" } as const;
  const { changes, counted } = decideNetworkEvent({ ...NOTHING, listed: { note: "", expiresAt: null } }, event, NOON);
  const removed = { type: "DISALLOW", prefix: PREFIX, cause: "ALLOW_REMOVED", by: "root" };
  assert.deepEqual({ changes, counted }, { changes: [removed], counted: false });
  assert.equal(outcomeOf(decideNetworkEvent(NOTHING, event, NOON)), "refuse not_listed, uncounted");
});

test("allow: a second addition keeps the later end, and the former note if none is given", () => {
  const event = { type: "ALLOW_ASKED", prefix: PREFIX, note: "", durationMs: 2 * HOUR_MS, by: "root" } as const;
  const [sooner, wanted, after] = [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS].map((ms) => later(NOON, ms));
  const made = (expiresAt: Millis | null, note = "") =>
    decideNetworkEvent({ ...NOTHING, listed: { note: "the office", expiresAt } }, { ...event, note }, NOON).changes;
  const allow = { type: "ALLOW", prefix: PREFIX, note: "the office", by: "root" };
  const changes = [sooner, after, null].flatMap((former = null) => made(former));
  assert.deepEqual(
    changes,
    [wanted, after, null].map((expiresAt) => ({ ...allow, expiresAt })),
  );
  assert.partialDeepStrictEqual(made(null, "the new office"), [{ note: "the new office" }]);
});

test("allow: an entry with a time ends then, and not before", () => {
  const event = { type: "ALLOW_ASKED", prefix: PREFIX, note: "", durationMs: HOUR_MS, by: "root" } as const;
  const expiresAt = later(NOON, HOUR_MS);
  const allow = { type: "ALLOW", prefix: PREFIX, note: "", by: "root", expiresAt };
  assert.deepEqual(decideNetworkEvent(NOTHING, event, NOON).changes, [allow]);
  const over = { type: "ALLOW_EXPIRED", prefix: PREFIX } as const;
  const gone = { type: "DISALLOW", prefix: PREFIX, cause: "ALLOW_EXPIRED", by: "engine" };
  const decided = (listed: NetworkEventFacts["listed"], now = expiresAt) =>
    decideNetworkEvent({ ...NOTHING, listed }, over, now);
  const note = "";
  const { changes, counted } = decided({ note, expiresAt });
  assert.deepEqual({ changes, counted }, { changes: [gone], counted: false });
  const early = decided({ note, expiresAt }, later(expiresAt, -1));
  for (const other of [early, decided({ note, expiresAt: null }), decided(null)]) {
    assert.deepEqual(other.changes, []);
    assert.partialDeepStrictEqual(other, { recorded: false, counted: false });
  }
});

test("expiry: ends, but does not forgive, a ban whose time is over", () => {
  const event = { type: "BAN_EXPIRED", prefix: PREFIX } as const;
  const decided = decideNetworkEvent({ ...NOTHING, ban: { ...BAN, expiresAt: NOON } }, event, NOON);
  assert.equal(outcomeOf(decided), "pass expired, LIFT, uncounted");
  const lift = { type: "LIFT", prefix: PREFIX, cause: "BAN_EXPIRED", forgiven: false, by: "engine" };
  assert.deepEqual(decided.changes, [lift]);
});

test("expiry: skips a ban that is gone, permanent, or was renewed in between", () => {
  const event = { type: "BAN_EXPIRED", prefix: PREFIX } as const;
  for (const ban of [null, { ...BAN, expiresAt: null }, { ...BAN, expiresAt: later(NOON, 1) }]) {
    const { changes, recorded, counted } = decideNetworkEvent({ ...NOTHING, ban }, event, NOON);
    assert.deepEqual({ changes, recorded, counted }, { changes: [], recorded: false, counted: false });
  }
});

test("a release ends the hold, a drop disowns it, a new password forgets guesses, a removal ends the hold and forgets correspondents, a removal or an incident forgets places, and nothing else changes anything", () => {
  const subject = "anna@example.org";
  const account = subject;
  assert.deepEqual(sideEffectsOf({ type: "ACCOUNT_RELEASED", subject }), [{ type: "END_HOLD", account }]);
  const ended = sideEffectsOf({ type: "ACCOUNT_RELEASED", subject, until: NOON });
  assert.deepEqual(ended, [{ type: "END_HOLD", account, until: NOON }]);
  assert.deepEqual(sideEffectsOf({ type: "PASSWORD_CHANGED", subject }), [{ type: "FORGET_GUESSES", account }]);
  assert.deepEqual(sideEffectsOf({ type: "ACCOUNT_REMOVED", subject }), [
    { type: "FORGET_PLACES", account },
    { type: "DISOWN_HOLD", account, ends: true },
    { type: "FORGET_CORRESPONDENTS", account },
  ]);
  const since = { type: "PLACES_FORGOTTEN", subject: placesSince(accountName(subject), NOON) } as const;
  assert.deepEqual(sideEffectsOf(since), [{ type: "FORGET_PLACES", account, since: NOON }]);
  assert.deepEqual(sideEffectsOf({ ...since, subject }), [], "never all places");
  assert.deepEqual(sideEffectsOf({ type: "HELD_MAIL_DROPPED", subject }), [{ type: "DISOWN_HOLD", account }]);
  assert.deepEqual(sideEffectsOf({ type: "ACCOUNT_SUSPENDED", subject }), []);
});
