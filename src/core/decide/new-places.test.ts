// Invariant: While strangers guess, only known addresses and passwords that look right are checked, within a budget; a refusal counts the same for right and wrong passwords.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCOUNT, factsOf, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import type { LoginAttributes } from "../events/login.ts";
import { DAY_MS, later } from "../time.ts";
import type { AccountFacts, Facts, FailedLogin, TriedPassword } from "./facts.ts";
import { barredBy, mayBeRight } from "./new-places.ts";

const ANNA = "anna@example.org";
const BERT = "bert@example.org";
const LOGIN: LoginAttributes = { ip: STRANGER, service: "imap", login: "Anna@example.org", passwordHash: "now" };
function tried(count: number, account = ANNA, agoMs = 3_600_000): readonly FailedLogin[] {
  const at = later(NOON, -agoMs);
  return Array.from({ length: count }, (_, i) => ({ at, passwordHash: `${account} ${i}`, account }));
}
const lately = (count: number) => tried(count, ANNA, 60_000);
function verified(count: number): readonly TriedPassword[] {
  return Array.from({ length: count }, (_, i) => ({ account: ANNA, passwordHash: `under way ${i}` }));
}

const of = (known: Partial<AccountFacts>, facts: Partial<Facts> = {}): Partial<Facts> => ({
  account: { ...ACCOUNT, name: ANNA, ...known },
  ...facts,
});
const ofOwner = (facts: Partial<Facts>) => of({ kinship: "address" }, facts);
const ofOther = (facts: Partial<Facts>) => ({ knownAccounts: [BERT], ...facts });
/** Failures that a ban followed. */
const spent = (count: number): readonly FailedLogin[] => tried(count).map((failure) => ({ ...failure, spent: true }));
const AT_OTHERS = "known_address_at_others 15 of 15";
const SLOW = "slow_guessing 10 of 10";
const SPRAYED = { guesses: POLICY.spraying.guesses, networks: 8 };
const SAME: TriedPassword = { account: ANNA, passwordHash: "now" };
const UNHASHED = Array.from({ length: 2 }, () => ({ account: ANNA, passwordHash: "" }));

const examples: readonly (readonly [that: string, barred: string | null, facts: Partial<Facts>])[] = [
  ["a sprayed server", "spraying 12 of 12", { spraying: SPRAYED }],
  ["one sprayed by few", null, { spraying: { ...SPRAYED, networks: 7 } }],
  ["one sprayed little", null, { spraying: { ...SPRAYED, guesses: 11 } }],
  ["a neighbour at the same time", null, of({ kinship: "network" }, { spraying: SPRAYED })],
  ["the owner at the same time", null, of({ kinship: "address", guesses: 20 }, { spraying: SPRAYED })],
  ["the dashboard at the same time", null, { account: null, spraying: SPRAYED }],
  ["the owner after 39 and what others tried there", null, ofOwner({ failures: [...tried(39), ...tried(9, BERT)] })],
  ["the owner a day later", null, ofOwner({ failures: tried(500, ANNA, DAY_MS) })],
  ["another's address after 15 at others", AT_OTHERS, ofOther({ failures: [...tried(9), ...tried(6, "cid@x.test")] })],
  [
    "another's address after 14 there, many at its own",
    null,
    ofOther({ failures: [...tried(14), ...tried(30, BERT)] }),
  ],
  ["four under way, each twice", null, { pending: [...verified(4), ...verified(4)] }],
  ["four under way, and two without a hash", "pending_guesses 6 of 5", { pending: [...verified(4), ...UNHASHED] }],
  ["this password under way after four within minutes", null, { failures: lately(4), pending: [SAME] }],
  ["one under way after four within minutes", "pending_guesses 5 of 5", { failures: lately(4), pending: verified(1) }],
  ["one under way after five, for which a ban was spared", null, { failures: lately(5), pending: verified(1) }],
  ["one under way after nine within a day", SLOW, { failures: tried(9), pending: verified(1) }],
  ["ten within a day, and no ban", SLOW, { failures: tried(10) }],
  ["ten within a day, followed by a ban", null, { failures: spent(10) }],
  ["one under way after nine, followed by a ban", SLOW, { failures: spent(9), pending: verified(1) }],
  ["twenty within a week, and no ban", "slow_guessing 20 of 20", { failures: tried(20, ANNA, 6 * DAY_MS) }],
];
for (const [that, barred, facts] of examples)
  test(`${that}: ${barred ?? "checked"}`, () => {
    const found = barredBy(POLICY, factsOf({ ...of({}), ...facts }), LOGIN, NOON);
    const reported = found === null ? null : `${found.reason} ${found.evidence.count} of ${found.evidence.limit}`;
    assert.equal(reported, barred);
  });

test("a password that looks right is checked while the budget lasts, and always at home", () => {
  const may = (facts: Partial<Facts>, passwordHash = "now"): boolean =>
    mayBeRight(POLICY, factsOf(facts), { ...LOGIN, passwordHash });
  const crowded = { passwordHashes: ["now"], commonCandidates: 250 };
  assert.equal(may(of({ ...crowded, networkCandidates: 39 })), true, "each network has its share");
  assert.equal(may(of({ ...crowded, networkCandidates: 40 })), false);
  assert.equal(may(of({ ...crowded, networkCandidates: 40, commonCandidates: 249 })), true, "and then the common one");
  assert.equal(may(of({ ...crowded, networkCandidates: 40, kinship: "address" })), true);
  assert.equal(may(of({ passwordHashes: [""] }), ""), false, "a hash that is not known looks like nothing");
  const home = of({ kinship: "address", passwordHashes: ["now"], candidates: 1_000 });
  assert.equal(may({ ...home, failures: tried(1_000) }), true, "no guesser locks out a device at home");
});
