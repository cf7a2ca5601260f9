import assert from "node:assert/strict";
import { decision } from "../../src/core/decide/decision.ts";
import type { HonestServer } from "../../src/core/decide/honest-mail.ts";
import type { ClientEvent } from "../../src/core/events/event.ts";
import type { DataCommand } from "../../src/core/events/mail.ts";
import { hostPrefix, type Prefix } from "../../src/core/net/ip.ts";
import { instant, type Millis } from "../../src/core/time.ts";
import { FactBase } from "../../src/guard/facts/fact-base.ts";
import { SmtpProgress } from "../../src/guard/facts/smtp-sessions.ts";
import { type AddressHistory, NO_HISTORY } from "../../src/guard/storage-ports.ts";
import { ip, MAIL, NOON, POLICY, STRANGER } from "./samples.ts";

/** Facts over fake databases that answer as a test wants, and count queries. */

export const HOME: Prefix = hostPrefix(STRANGER);
export const SENT: DataCommand = { type: "DATA", recipientCount: 1, ...MAIL };
export const PRIOR_REPORTS = { upTo: NOON, passwords: ["p"], unjudged: [] };
export const PASS = decision("pass", "below_limit");

export function factsOnFakes() {
  const state: { isActive: () => boolean; since: Millis; server: HonestServer | null; asked: number } = {
    isActive: () => true,
    since: NOON,
    server: null,
    asked: 0,
  };
  let address = NO_HISTORY;
  const base = new FactBase({
    policy: POLICY,
    progress: new SmtpProgress(),
    notices: { raise: () => assert.fail("notice"), clear: () => {}, list: () => [] },
    history: { address: () => address },
    bansInForce: { ban: () => null, bansWithin: () => [], allowed: () => [] },
    sending: {
      sentMails: () => [],
      hasWritten: () => true,
      knowsPlace: () => true,
      holdOf: () => ({ evidence: null, vouchedAt: instant(0) }),
      refusals: () => 0,
    },
    neighbours: { offenders: () => 0, banned: () => [], settledAt: () => NOON, guessesFrom: () => 0 },
    own: {
      current: () => [
        { prefix: hostPrefix(ip("203.0.113.25")), why: "own_address" },
        { prefix: hostPrefix(ip("203.0.113.1")), why: "gateway" },
      ],
    },
    recipients: { exists: (address) => address.startsWith("owner") },
    firstContacts: { isFirstContact: () => true, isExpected: () => true },
    networks: { networksOf: () => [HOME] },
    forwardReach: { reachedBy: () => [] },
    jails: { priorReports: () => PRIOR_REPORTS },
    honest: {
      server: (_, __, since) => {
        state.asked += 1;
        state.since = since;
        return state.server;
      },
      servers: () => [],
      hasWrittenTo: () => false,
    },
    active: { isActive: () => state.isActive() },
    accounts: {
      signIns: () => [],
      passwordHashes: () => [],
      guesses: () => [],
      accountsOf: (_, since) => {
        state.since = since;
        return ["anna@example.org"];
      },
      isKnownWithin: () => false,
      networksSince: () => [],
      candidates: () => ({ within: 0, beyond: 0 }),
      guessesOf: () => [],
      guessesSince: () => [],
    },
  });
  /** The facts of an event from an address with this history. */
  const of = (event: ClientEvent, known: Partial<AddressHistory> = {}, policy = POLICY) => {
    address = { ...NO_HISTORY, ...known };
    base.setPolicy(policy, NOON);
    return base.of(event, NOON);
  };
  const update = (event: ClientEvent, decided = PASS): void => base.update(event, decided, of(event), NOON);
  return { state, of, update, base };
}
