import type { Connect } from "../events/connection.ts";
import { type ClientEvent, isLogin } from "../events/event.ts";
import { isAdministrators } from "../events/event-types.ts";
import type { Reason } from "../events/reasons.ts";
import type { Millis } from "../time.ts";
import { refuseAndBan } from "./ban-ladder.ts";
import { type Change, type Decision, decision, isLeftToPostgrey, uncounted } from "./decision.ts";
import { type Facts, isShared } from "./facts.ts";
import { decideLoginAsked, decideLoginFailed, decideLoginSucceeded } from "./login.ts";
import { decideBanOrProtection, decideData, decideEndOfMessage, decideRecipient } from "./mail.ts";
import { banOrSpareNetwork } from "./neighbours.ts";
import { isProvider, type Policy } from "./policy.ts";
import { decideReport } from "./report.ts";
import { withoutForbiddenBan } from "./sparing.ts";
import { exceeded } from "./windows.ts";

/** Makes every decision about a client's event. The others are decided by `decideNetworkEvent` in command.ts. */
export function decide(policy: Policy, facts: Facts, event: ClientEvent, now: Millis): Decision {
  return policy.simulate && !isDashboard(event)
    ? simulated(policy, facts, event, now)
    : decideWithNetwork(policy, facts, event, now);
}

/** A simulated ban must not hide a refusal that administrators asked for, so that refusal is decided first, as if there were no ban. */
function simulated(policy: Policy, facts: Facts, event: ClientEvent, now: Millis): Decision {
  const refused = facts.ban?.simulated === true ? decideByType(policy, unbanned(facts), event, now) : null;
  if (refused !== null && ALWAYS_REFUSED.includes(refused.reason)) return refused;
  return withoutEffect(facts, decideWithNetwork(policy, facts, event, now));
}

/** The dashboard's limits apply during a simulation too: they affect no mail user, and a guessed password there exposes the server. */
function isDashboard(event: ClientEvent): boolean {
  return isLogin(event) && isAdministrators(event.service, event.login);
}

/** The rules of the event's type, without a ban that something forbids, and with the ban of the network if its limit is reached. */
function decideWithNetwork(policy: Policy, facts: Facts, event: ClientEvent, now: Millis): Decision {
  const due = decideByType(policy, facts, event, now);
  // Most decisions change nothing. They end here, without further lookups.
  if (due.changes.length === 0) return due;
  const decided = withoutForbiddenBan(facts, due, event, now);
  // A sign-in that may cause no ban (events/login.ts) causes none of a network either.
  const around = isLogin(event) && event.withoutBan ? [] : banOrSpareNetwork(policy, facts, decided, now);
  return around.length === 0 ? decided : { ...decided, changes: [...decided.changes, ...around] };
}

function decideByType(policy: Policy, facts: Facts, event: ClientEvent, now: Millis): Decision {
  switch (event.type) {
    case "CONNECT":
      return decideConnect(policy, facts, event, now);
    case "RECIPIENT":
      return decideRecipient(policy, facts, event, now);
    case "DATA":
      return decideData(policy, facts, event, now);
    case "END_OF_MESSAGE":
      return decideEndOfMessage(policy, facts, event, now);
    case "LOGIN_ASKED":
      return decideLoginAsked(policy, facts, event, now);
    case "LOGIN_SUCCEEDED":
      return decideLoginSucceeded(policy, facts, event);
    case "LOGIN_FAILED":
      return decideLoginFailed(policy, facts, event, now);
    case "JAIL_REPORTED":
      return decideReport(policy, facts, event, now);
  }
}

/** A connection to port 25, 465 or 587. The first rule that applies is the reason. */
export function decideConnect(policy: Policy, facts: Facts, event: Connect, now: Millis): Decision {
  const settled = decideBanOrProtection(facts, null);
  if (settled !== null) return settled;
  const evidence = exceeded(policy.connections, facts.connections, now);
  if (evidence === null) return decision("pass", "below_limit");
  if (isProvider(policy, event.clientName)) return uncounted("defer", "provider_busy", { evidence });

  const past = exceeded(policy.connections, facts.connections, now, policy.knownFactor);
  // Malware behind a shared address uses port 25; its users send on 465 and 587.
  if (facts.isKnown && (past === null || isShared(facts)))
    return decision(event.service === "smtp" ? "defer" : "pass", "known_address", { evidence });
  if (facts.offences === 0 && past === null && facts.isWanted) return decision("defer", "wanted_busy", { evidence });
  const offence = { code: "connection_limit", evidence: (facts.isKnown ? past : null) ?? evidence } as const;
  return refuseAndBan(policy, facts, offence, now);
}

/** Refusals that administrators configured for accounts, as opposed to limits. They apply during a simulation too. */
const ALWAYS_REFUSED: readonly Reason[] = ["account_inactive", "outside_networks"];

/** The same facts without any ban. A proxy, because a copy would look up every fact. */
function unbanned(facts: Facts): Facts {
  return new Proxy(facts, {
    get(all, name) {
      const value: unknown = name === "ban" ? null : Reflect.get(all, name);
      return typeof value === "function" ? (...given: unknown[]): unknown => Reflect.apply(value, all, given) : value;
    },
  });
}

/**
 * The decision while `simulate` is set. It is recorded as usual, but the client is not stopped. Bans are noted, so that later decisions are
 * made as after a ban, but they never reach the firewall. Manual and earlier bans stay in force.
 */
function withoutEffect({ ban }: Facts, decided: Decision): Decision {
  const isBanned = decided.reason === "banned" && ban !== null && ban.simulated !== true;
  // The account was held already, because a simulation never starts a hold.
  const isHeld = decided.verdict === "hold" && !decided.changes.some(({ type }) => type === "HOLD_ACCOUNT");
  const isReal = isBanned || isHeld;
  const changes = decided.changes.map(asSimulated);
  if (isLeftToPostgrey(decided)) return { ...decided, simulated: "defer" };
  if (decided.reason === "first_contacts_marked") return { ...decided, simulated: "pass" };
  if (decided.verdict === "pass" || isReal || ALWAYS_REFUSED.includes(decided.reason)) return { ...decided, changes };
  const withoutHold = changes.filter(({ type }) => type !== "HOLD_ACCOUNT");
  return { ...decided, changes: withoutHold, verdict: "pass", simulated: decided.verdict };
}

function asSimulated(change: Change): Change {
  return change.type === "BAN" ? { type: "BAN", ban: { ...change.ban, simulated: true } } : change;
}
