// Invariant: While strangers guess, only known addresses and passwords that look right are checked, within a budget; a refusal counts the same for right and wrong passwords.

import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import type { LoginAttributes } from "../events/login.ts";
import { DAY_MS, later } from "../time.ts";
import type { AccountFacts, Facts, Failure, Verified } from "./facts.ts";
import { barredBy, mayBeRight } from "./new-places.ts";

const ANNA = "anna@example.org";
const LOGIN: LoginAttributes = { ip: STRANGER, service: "imap", login: "Anna@example.org", passwordHash: "now" };
const NOBODY: AccountFacts = {
  name: ANNA,
  kinship: "stranger",
  guesses: 0,
  proofs: [],
  candidates: 0,
  networkCandidates: 0,
  commonCandidates: 0,
  networkGuesses: 0,
};

function tried(count: number, account: string, agoMs = 3_600_000): readonly Failure[] {
  return Array.from({ length: count }, (_, i) => ({
    at: later(NOON, -agoMs),
    passwordHash: `${account} ${i}`,
    account,
  }));
}
function verified(count: number, account: string): readonly Verified[] {
  return Array.from({ length: count }, (_, i) => ({ account, proof: `under way ${i}` }));
}

type Example = Readonly<{ that: string; facts: Partial<Facts>; barred: string | null }>;
const of = (known: Partial<AccountFacts>): Pick<Facts, "account"> => ({ account: { ...NOBODY, ...known } });
const SPRAYED = { guesses: POLICY.spraying.guesses, networks: 8 };
const BERT = ["bert@example.org"];

const examples: readonly Example[] = [
  { that: "a stranger", facts: of({}), barred: null },
  { that: "a guarded account", facts: of({ guesses: 20 }), barred: "account_guarded 20 of 20" },
  { that: "a network with 39 guesses", facts: of({ networkGuesses: 39 }), barred: null },
  { that: "a network with 40", facts: of({ networkGuesses: 40 }), barred: "network_guesses_refused 40 of 40" },
  {
    that: "the account's own network with 40",
    facts: of({ networkGuesses: 40, kinship: "network" }),
    barred: "network_guesses_refused 40 of 40",
  },
  { that: "a sprayed server", facts: { ...of({}), spraying: SPRAYED }, barred: "spraying 12 of 12" },
  { that: "one sprayed by few", facts: { ...of({}), spraying: { ...SPRAYED, networks: 7 } }, barred: null },
  { that: "one sprayed little", facts: { ...of({}), spraying: { ...SPRAYED, guesses: 11 } }, barred: null },
  { that: "a neighbour at the same time", facts: { ...of({ kinship: "network" }), spraying: SPRAYED }, barred: null },
  {
    that: "the owner at the same time",
    facts: { ...of({ kinship: "address", guesses: 20 }), spraying: SPRAYED },
    barred: null,
  },
  { that: "the dashboard at the same time", facts: { account: null, spraying: SPRAYED }, barred: null },
  {
    that: "the owner after 40 different ones",
    facts: { ...of({ kinship: "address" }), failures: tried(40, ANNA) },
    barred: "known_address_capped 40 of 40",
  },
  {
    that: "the owner with one under way after 39",
    facts: { ...of({ kinship: "address" }), failures: tried(39, ANNA), pending: verified(1, ANNA) },
    barred: "known_address_capped 40 of 40",
  },
  {
    that: "the owner after 39 and what others tried there",
    facts: { ...of({ kinship: "address" }), failures: [...tried(39, ANNA), ...tried(9, "bert@example.org")] },
    barred: null,
  },
  {
    that: "the owner a day later",
    facts: { ...of({ kinship: "address" }), failures: tried(500, ANNA, DAY_MS) },
    barred: null,
  },
  {
    that: "another's address after 15 at others",
    facts: { ...of({}), knownAccounts: BERT, failures: [...tried(9, ANNA), ...tried(6, "cid@example.org")] },
    barred: "known_address_at_others 15 of 15",
  },
  {
    that: "another account's address after 14 guesses at others, and many at its own",
    facts: { ...of({}), knownAccounts: BERT, failures: [...tried(14, ANNA), ...tried(30, "bert@example.org")] },
    barred: null,
  },
  {
    that: "another's address with one under way after 14",
    facts: { ...of({}), knownAccounts: BERT, failures: tried(14, ANNA), pending: verified(1, ANNA) },
    barred: "known_address_at_others 15 of 15",
  },
  { that: "four under way", facts: { ...of({}), pending: verified(4, ANNA) }, barred: null },
  { that: "five under way", facts: { ...of({}), pending: verified(5, ANNA) }, barred: "pending_guesses 5 of 5" },
  {
    that: "five under way, the same as now",
    facts: { ...of({}), pending: Array.from({ length: 5 }, () => ({ account: ANNA, proof: "now" })) },
    barred: null,
  },
  {
    that: "one under way after four within minutes",
    facts: { ...of({}), failures: tried(4, ANNA, 60_000), pending: verified(1, ANNA) },
    barred: "pending_guesses 5 of 5",
  },
  {
    that: "one under way after five, for which a ban was spared",
    facts: { ...of({}), failures: tried(5, ANNA, 60_000), pending: verified(1, ANNA) },
    barred: null,
  },
  {
    that: "one under way after nine within a day",
    facts: { ...of({}), failures: tried(9, ANNA), pending: verified(1, ANNA) },
    barred: "slow_guessing 10 of 10",
  },
  {
    that: "ten within a day, and no ban",
    facts: { ...of({}), failures: tried(10, ANNA) },
    barred: "slow_guessing 10 of 10",
  },
  {
    that: "ten within a day that a ban has answered",
    facts: { ...of({}), failures: tried(10, ANNA).map((failure) => ({ ...failure, spent: true })) },
    barred: null,
  },
  {
    that: "one under way after nine that a ban has answered",
    facts: {
      ...of({}),
      failures: tried(9, ANNA).map((failure) => ({ ...failure, spent: true })),
      pending: verified(1, ANNA),
    },
    barred: "slow_guessing 10 of 10",
  },
  {
    that: "twenty within a week, and no ban",
    facts: { ...of({}), failures: tried(20, ANNA, 6 * DAY_MS) },
    barred: "slow_guessing 20 of 20",
  },
];
for (const { that, facts, barred } of examples)
  test(`${that}: ${barred ?? "heard"}`, () => {
    const found = barredBy(POLICY, factsOf(facts), LOGIN, NOON);
    const reported = found === null ? null : `${found.reason} ${found.evidence.count} of ${found.evidence.limit}`;
    assert.equal(reported, barred);
  });

test("a password that looks right is checked while the budget lasts, at home always", () => {
  const may = (facts: Partial<Facts>, passwordHash = "now"): boolean =>
    mayBeRight(POLICY, factsOf(facts), { ...LOGIN, passwordHash });
  assert.equal(may(of({ proofs: ["then", "now"], candidates: 999 })), true);
  assert.equal(may(of({ proofs: ["then", "now"], candidates: 1_000 })), false);
  const crowded = { proofs: ["now"], commonCandidates: 250 };
  assert.equal(may(of({ ...crowded, networkCandidates: 39 })), true, "each network has its share");
  assert.equal(may(of({ ...crowded, networkCandidates: 40 })), false);
  assert.equal(may(of({ ...crowded, networkCandidates: 40, commonCandidates: 249 })), true, "and then the common one");
  assert.equal(may(of({ ...crowded, networkCandidates: 40, kinship: "address" })), true);
  assert.equal(may(of({ proofs: ["then"] })), false);
  assert.equal(may(of({ proofs: [""] }), ""), false, "a hash that is not known looks like nothing");
  assert.equal(may({ account: null }), false);
  const home = of({ kinship: "address", proofs: ["now"], candidates: 1_000 });
  assert.equal(may({ ...home, failures: tried(1_000, ANNA) }), true, "no guesser locks out a device at home");
});
