import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, NOON, net, STRANGER, UNSPARED } from "../../../test/kit/samples.ts";
import type { Protection } from "../events/reasons.ts";
import { hostPrefix } from "../net/ip.ts";
import { HOUR_MS, later } from "../time.ts";
import { type CommandFacts, decideCommand, sideEffectsOf } from "./command.ts";
import { banIn } from "./sparing.ts";

const NOTHING: CommandFacts = { sparing: () => UNSPARED, ban: null, listed: null, covered: [] };
const PREFIX = hostPrefix(STRANGER);
const ASKED = { type: "BAN_ASKED", prefix: PREFIX, note: "scans", durationMs: 2 * HOUR_MS, by: "root" } as const;

test("ban: manual, for the time that was given", () => {
  const decided = decideCommand(NOTHING, ASKED, NOON);
  assert.equal(`${decided.verdict} ${decided.reason}`, "pass manual");
  assert.deepEqual(decided.changes, [
    {
      type: "BAN",
      ban: {
        prefix: PREFIX,
        ip: STRANGER,
        level: "manual",
        code: "manual",
        reason: "scans",
        source: "root",
        createdAt: NOON,
        expiresAt: later(NOON, 2 * HOUR_MS),
        offences: 0,
      },
    },
  ]);
});

test("ban: for good without a time", () => {
  assert.equal(banIn(decideCommand(NOTHING, { ...ASKED, durationMs: null }, NOON))?.expiresAt, null);
});

const protections: readonly Protection[] = ["loopback", "own_address", "gateway", "allow_listed"];
for (const protection of protections)
  test(`ban: refused where ${protection} protects it or a part of it`, () => {
    const decided = decideCommand({ ...NOTHING, sparing: () => ({ ...UNSPARED, protection }) }, ASKED, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, `refuse ${protection}`);
    assert.deepEqual(decided.changes, []);
    assert.ok(decided.recorded, "the owner sees that it was tried");
  });

test("unban: lifts and forgives what stands, refuses where nothing does", () => {
  const event = { type: "UNBAN_ASKED", prefix: PREFIX, by: "root" } as const;
  const lift = { type: "LIFT", prefix: PREFIX, cause: "UNBAN", forgiven: true, by: "root" };
  assert.deepEqual(decideCommand({ ...NOTHING, ban: BAN }, event, NOON).changes, [lift]);
  const nothing = decideCommand(NOTHING, event, NOON);
  assert.equal(`${nothing.verdict} ${nothing.reason}`, "refuse not_banned");
  assert.deepEqual(nothing.changes, []);
});

test("allow: lists the network and lifts every ban within it", () => {
  const other = net("203.0.113.8");
  const event = { type: "ALLOW_ASKED", prefix: PREFIX, note: "office", durationMs: null, by: "root" } as const;
  assert.deepEqual(decideCommand({ ...NOTHING, covered: [PREFIX, other] }, event, NOON).changes, [
    { type: "ALLOW", prefix: PREFIX, note: "office", by: "root", expiresAt: null },
    { type: "LIFT", prefix: PREFIX, cause: "UNBAN", forgiven: true, by: "root" },
    { type: "LIFT", prefix: other, cause: "UNBAN", forgiven: true, by: "root" },
  ]);
});

test("disallow: removes listed networks, refuses others", () => {
  const event = { type: "DISALLOW_ASKED", prefix: PREFIX, by: "root" } as const;
  const listed = decideCommand({ ...NOTHING, listed: { expiresAt: null } }, event, NOON);
  assert.deepEqual(listed.changes, [{ type: "DISALLOW", prefix: PREFIX, cause: "ALLOW_REMOVED", by: "root" }]);
  const nothing = decideCommand(NOTHING, event, NOON);
  assert.equal(`${nothing.verdict} ${nothing.reason}`, "refuse not_listed");
  assert.deepEqual(nothing.changes, []);
});

test("allow: an entry with a time ends by then, and not before", () => {
  const event = { type: "ALLOW_ASKED", prefix: PREFIX, note: "", durationMs: HOUR_MS, by: "root" } as const;
  const expiresAt = later(NOON, HOUR_MS);
  assert.deepEqual(decideCommand(NOTHING, event, NOON).changes, [
    { type: "ALLOW", prefix: PREFIX, note: "", by: "root", expiresAt },
  ]);
  const over = { type: "ALLOW_EXPIRED", prefix: PREFIX } as const;
  const gone = { type: "DISALLOW", prefix: PREFIX, cause: "ALLOW_EXPIRED", by: "engine" };
  const facts = { ...NOTHING, listed: { expiresAt } };
  assert.deepEqual(decideCommand(facts, over, expiresAt).changes, [gone]);
  for (const [listed, now] of [
    [{ expiresAt }, later(expiresAt, -1)],
    [{ expiresAt: null }, expiresAt],
    [null, expiresAt],
  ] as const) {
    const early = decideCommand({ ...NOTHING, listed }, over, now);
    assert.deepEqual([early.changes, early.recorded], [[], false]);
  }
});

test("expiry: ends a ban whose time is over, and forgives nothing", () => {
  const event = { type: "BAN_EXPIRED", prefix: PREFIX } as const;
  const decided = decideCommand({ ...NOTHING, ban: { ...BAN, expiresAt: NOON } }, event, NOON);
  assert.equal(`${decided.verdict} ${decided.reason}`, "pass expired");
  assert.deepEqual(decided.changes, [
    { type: "LIFT", prefix: PREFIX, cause: "BAN_EXPIRED", forgiven: false, by: "engine" },
  ]);
});

test("expiry: skips a ban that is gone, permanent, or was renewed in between", () => {
  const event = { type: "BAN_EXPIRED", prefix: PREFIX } as const;
  for (const ban of [null, { ...BAN, expiresAt: null }, { ...BAN, expiresAt: later(NOON, 1) }]) {
    const decided = decideCommand({ ...NOTHING, ban }, event, NOON);
    assert.deepEqual(decided.changes, []);
    assert.equal(decided.recorded, false);
  }
});

test("no command counts as something that an address did", () => {
  const target = { prefix: PREFIX, by: "root" };
  const sparing = () => ({ ...UNSPARED, protection: "gateway" }) as const;
  for (const facts of [NOTHING, { ...NOTHING, sparing, ban: BAN, listed: { expiresAt: null } }]) {
    const decided = [
      decideCommand(facts, ASKED, NOON),
      decideCommand(facts, { type: "UNBAN_ASKED", ...target }, NOON),
      decideCommand(facts, { type: "ALLOW_ASKED", ...target, note: "", durationMs: null }, NOON),
      decideCommand(facts, { type: "DISALLOW_ASKED", ...target }, NOON),
      decideCommand(facts, { type: "ALLOW_EXPIRED", prefix: PREFIX }, NOON),
      decideCommand(facts, { type: "BAN_EXPIRED", prefix: PREFIX }, NOON),
    ];
    assert.deepEqual(
      decided.filter(({ counted }) => counted),
      [],
    );
  }
});

test("a release ends the hold, a drop disowns it, a new password forgets the guesses, anything else changes nothing", () => {
  const subject = "anna@example.org";
  assert.deepEqual(sideEffectsOf({ type: "ACCOUNT_RELEASED", subject }), [{ type: "END_HOLD", account: subject }]);
  assert.deepEqual(sideEffectsOf({ type: "PASSWORD_CHANGED", subject }), [
    { type: "FORGET_GUESSES", account: subject },
  ]);
  assert.deepEqual(sideEffectsOf({ type: "HELD_MAIL_DROPPED", subject }), [{ type: "DISOWN_HOLD", account: subject }]);
  assert.deepEqual(sideEffectsOf({ type: "ACCOUNT_SUSPENDED", subject }), []);
});
