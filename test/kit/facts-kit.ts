import assert from "node:assert/strict";
import { decision } from "../../src/core/decide/decision.ts";
import type { HonestServer } from "../../src/core/decide/honest-mail.ts";
import type { ClientEvent } from "../../src/core/events/event.ts";
import type { DataCommand } from "../../src/core/events/mail.ts";
import { hostPrefix, type Prefix } from "../../src/core/net/ip.ts";
import type { Millis } from "../../src/core/time.ts";
import { FactBase } from "../../src/guard/facts/fact-base.ts";
import { type AddressHistory, NO_HISTORY } from "../../src/guard/storage-ports.ts";
import { engineMigrations } from "../../src/store/engine-db/schema.ts";
import { enginePartsOn } from "./engine-kit.ts";
import { beforeEachOf } from "./hooks.ts";
import { databaseOnMemory } from "./memory-database.ts";
import { ip, MAIL, NOON, POLICY, STRANGER } from "./samples.ts";

/** Facts over an empty database, with fakes that answer as a test wants, and count queries. */

export const HOME: Prefix = hostPrefix(STRANGER);
export const SENT: DataCommand = { type: "DATA", recipientCount: 1, ...MAIL };
export const PRIOR_REPORTS = { upTo: NOON, passwords: ["p"], unjudged: [] };
export const PASS = decision("pass", "below_limit");

type State = { isActive: () => boolean; since: Millis; server: HonestServer | null; asked: number };

/** New for each test of `file`. */
export function factsOnFakes(file: string) {
  const usual: State = { isActive: () => true, since: NOON, server: null, asked: 0 };
  const state = { ...usual };
  let address = NO_HISTORY;
  const parts = enginePartsOn(databaseOnMemory(engineMigrations));
  const start = () =>
    new FactBase({
      ...parts,
      policy: POLICY,
      notices: { raise: () => assert.fail("notice"), clear: () => {}, list: () => [] },
      history: { address: () => address },
      sending: { ...parts.sending, hasWritten: () => true },
      own: {
        current: () => [
          { prefix: hostPrefix(ip("203.0.113.25")), why: "own_address" },
          { prefix: hostPrefix(ip("203.0.113.1")), why: "gateway" },
        ],
      },
      recipients: { exists: (address) => address.startsWith("owner") },
      firstContacts: { isFirstContact: () => true, isExpected: () => true },
      networks: { networksOf: () => [HOME] },
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
        ...parts.accounts,
        accountsOf: (_, since) => {
          state.since = since;
          return ["anna@example.org"];
        },
      },
    });
  let base = start();
  beforeEachOf(file, () => {
    Object.assign(state, usual);
    base = start();
  });
  /** The facts of an event from an address with this history. */
  const of = (event: ClientEvent, known: Partial<AddressHistory> = {}, policy = POLICY) => {
    address = { ...NO_HISTORY, ...known };
    base.setPolicy(policy, NOON);
    return base.of(event, NOON);
  };
  const update = (event: ClientEvent, decided = PASS): void => base.update(event, decided, of(event), NOON);
  return { state, of, update, base: () => base };
}
