import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, factsOf, ip, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import type { LoginAttributes } from "../events/login.ts";
import { hostPrefix } from "../net/ip.ts";
import { later, MINUTE_MS } from "../time.ts";
import type { Facts, Failure } from "./facts.ts";
import { decideLoginAsked } from "./login.ts";

const LOGIN: LoginAttributes = { ip: STRANGER, service: "imap", login: "user@example.org", passwordHash: "now" };
const AT_HOME: Facts["account"] = {
  name: LOGIN.login,
  kinship: "address",
  guesses: 0,
  proofs: [],
  candidates: 0,
  networkCandidates: 0,
  commonCandidates: 0,
  networkGuesses: 0,
};

/** This many different ones, one a second, the last just now. */
function different(count: number): readonly Failure[] {
  return Array.from({ length: count }, (_, i) => ({
    at: later(NOON, (i + 1 - count) * 1_000),
    passwordHash: `p${i}`,
    account: LOGIN.login,
  }));
}

type Example = Readonly<{
  that: string;
  known?: Partial<Facts>;
  withoutBan?: boolean;
  answer: string;
  recorded?: boolean;
}>;

const asked: readonly Example[] = [
  { that: "a stranger", answer: "pass below_limit", recorded: false },
  { that: "a stranger with failures", known: { failures: different(4) }, answer: "pass below_limit", recorded: false },
  { that: "one that is banned", known: { ban: BAN }, answer: "refuse banned" },
  {
    that: "one from outside the account's networks",
    known: { accountNetworks: [hostPrefix(ip("198.51.100.1"))] },
    answer: "refuse outside_networks",
  },
  {
    that: "one from outside the account's networks, on the allow list",
    known: { accountNetworks: [hostPrefix(ip("198.51.100.1"))], protection: "allow_listed" },
    answer: "refuse outside_networks",
  },
  {
    that: "one from within the account's networks",
    known: { accountNetworks: [hostPrefix(STRANGER)] },
    answer: "pass below_limit",
    recorded: false,
  },
  {
    that: "a protected one",
    known: { protection: "loopback", ban: BAN, failures: different(14) },
    answer: "pass loopback",
    recorded: false,
  },
  {
    that: "a protected one at three times the limit",
    known: { protection: "loopback", failures: different(15) },
    answer: "delay guessing_slowed",
  },
  {
    that: "a protected one whose guesses are ten minutes old",
    known: {
      protection: "loopback",
      failures: different(500).map((failure) => ({ ...failure, at: later(NOON, -10 * MINUTE_MS) })),
    },
    answer: "pass loopback",
    recorded: false,
  },
  {
    that: "a known address below the limit",
    known: { account: AT_HOME, failures: different(4) },
    answer: "pass below_limit",
    recorded: false,
  },
  {
    that: "a known address at the limit",
    known: { account: AT_HOME, failures: different(5) },
    answer: "delay known_address",
  },
  {
    that: "the gateway at the limit for ordinary addresses",
    known: { protection: "gateway", failures: different(9) },
    answer: "pass below_limit",
    recorded: false,
  },
  {
    that: "one that was spared a ban",
    known: { failures: different(5) },
    answer: "delay guessing_slowed",
  },
  {
    that: "one that was spared a ban because its reporter has none left",
    known: { failures: different(5) },
    withoutBan: true,
    answer: "refuse bans_used_up",
  },
  {
    that: "the same below the limit",
    known: { failures: different(4) },
    withoutBan: true,
    answer: "pass below_limit",
    recorded: false,
  },
];
for (const { that, known = {}, withoutBan = false, answer, recorded = true } of asked)
  test(`asked: ${that}: ${answer}`, () => {
    const event = { type: "LOGIN_ASKED", ...LOGIN, withoutBan } as const;
    const decided = decideLoginAsked(POLICY, factsOf(known), event, NOON);
    assert.equal(`${decided.verdict} ${decided.reason}`, answer);
    assert.deepEqual(decided.changes, []);
    assert.equal(decided.counted, false);
    assert.equal(decided.recorded, recorded);
  });
