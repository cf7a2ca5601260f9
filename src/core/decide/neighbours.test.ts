import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, factsOf, NOON, POLICY, QUIET } from "../../../test/kit/samples.ts";
import { later } from "../time.ts";
import { type Change, decision } from "./decision.ts";
import type { Facts, Neighbourhood } from "./facts.ts";
import type { HonestServer } from "./honest-mail.ts";
import { banOfNetwork, banOrSpareNetwork, type NeighbourFacts } from "./neighbours.ts";

const { network, ip } = factsOf();
const ALMOST: NeighbourFacts = { network, ip, isBanned: false, offences: 0, banned: 4, guesses: 29, times: 1 };

for (const [that, facts, code] of [
  ["two honest servers are", { banned: 14, guesses: 89, times: 3 }, undefined],
  ["they are outnumbered", { banned: 15, times: 3 }, "neighbours_banned"],
  ["guesses outnumber them", { guesses: 90, times: 3 }, "network_guesses"],
  ["it is banned already", { banned: 5, guesses: 30, isBanned: true }, undefined],
] as const)
  test(`a network where ${that}: ${code ?? "no ban"}`, () => {
    const change = banOfNetwork(POLICY, { ...ALMOST, ...facts }, NOON);
    assert.equal(change?.ban.code, code);
    if (change !== null) assert.equal(change.ban.prefix, "203.0.113.0/24");
  });

test("a network that offends again climbs the ladder", () => {
  const change = banOfNetwork(POLICY, { ...ALMOST, banned: 9, offences: 1 }, NOON);
  assert.equal(change?.ban.level, "medium");
  assert.match(change?.ban.reason ?? "", /9 within 7d, limit 5/);
});

/** How many changes a decision with this change makes to its network. */
function ofNetwork(change: Change, around: Partial<Neighbourhood>, now = NOON, known: Partial<Facts> = {}): number {
  const facts = factsOf({ neighbourhood: () => ({ ...QUIET, ...around }), ...known });
  return banOrSpareNetwork(POLICY, facts, decision("refuse", "mail_limit", { changes: [change] }), now).length;
}

test("an offence at the very moment at which its network's ban ends does not count against the network", () => {
  const offence = (others: number, now = NOON) =>
    ofNetwork({ type: "BAN", ban: BAN }, { settledAt: NOON, offenders: () => others }, now);
  assert.deepEqual([offence(4), offence(5), offence(4, later(NOON, 1))], [0, 1, 1]);
});

test("the honest mail of an address still vouches for its network after a wrong password", () => {
  const { prefix } = factsOf();
  const guess = { type: "GUESS", account: "a@example.org", network, passwordHash: "a", isStale: false } as const;
  const server = { prefix, accepted: 1, proven: 0, wanted: 0, written: 0, provenDays: 0 };
  const after = (servers: readonly HonestServer[]) => ofNetwork(guess, { guesses: () => 29, servers: () => servers });
  assert.deepEqual([after([]), after([server])], [1, 0]);
});

test("a client that is counted by its whole network is banned once", () => {
  const ban = { ...BAN, prefix: network };
  assert.equal(ofNetwork({ type: "BAN", ban }, { offenders: () => 4 }, NOON, { prefix: network }), 0);
});
