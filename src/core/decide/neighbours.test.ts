import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import { banOfNetwork, type NeighbourFacts } from "./neighbours.ts";

const QUIET: NeighbourFacts = {
  network: factsOf().network,
  ip: STRANGER,
  isBanned: false,
  offences: 0,
  banned: 4,
  guesses: 29,
  times: 1,
};

for (const [that, facts, code] of [
  ["some offend", {}, undefined],
  ["the fifth of them is banned", { banned: 5 }, "neighbours_banned"],
  ["they tried thirty passwords", { guesses: 30 }, "network_guesses"],
  ["two honest servers stand", { banned: 14, guesses: 89, times: 3 }, undefined],
  ["they are outnumbered", { banned: 15, times: 3 }, "neighbours_banned"],
  ["guesses outnumber them", { guesses: 90, times: 3 }, "network_guesses"],
  ["it is banned already", { banned: 5, guesses: 30, isBanned: true }, undefined],
] as const)
  test(`a network where ${that}: ${code ?? "no ban"}`, () => {
    const change = banOfNetwork(POLICY, { ...QUIET, ...facts }, NOON);
    assert.equal(change?.ban.code, code);
    if (change !== null) assert.equal(change.ban.prefix, "203.0.113.0/24");
  });

test("a network that offends again climbs the ladder", () => {
  const change = banOfNetwork(POLICY, { ...QUIET, banned: 9, offences: 1 }, NOON);
  assert.equal(change?.ban.level, "medium");
  assert.match(change?.ban.reason ?? "", /9 within 7d, limit 5/);
});
