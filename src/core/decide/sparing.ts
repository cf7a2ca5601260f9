import type { ClientEvent } from "../events/event.ts";
import type { Protection } from "../events/reasons.ts";
import { overlaps, type Prefix } from "../net/ip.ts";
import { MINUTE_MS, type Millis } from "../time.ts";
import type { Ban, Change, Decision } from "./decision.ts";
import type { ClientShare, Facts, SparingFacts } from "./facts.ts";
import type { Policy } from "./policy.ts";

/** An administrator's dashboard or token that was used so lately is in use. */
const SESSION_MS = 30 * MINUTE_MS;
/** A network that is spared again and again is told of so often. */
const NEWS_EVERY_MS = 10 * MINUTE_MS;
/** The share of all connections and sign-ins, how many of them, and how many different names make one address a crowd. */
export const ALL_CLIENTS = { share: 0.9, events: 10, names: 3 } as const;

/** What must never be banned, because the machine itself or all its clients stand behind it. */
export type OwnNetwork = Readonly<{ prefix: Prefix; why: Extract<Protection, "loopback" | "own_address" | "gateway"> }>;
export type Shield = Readonly<{ prefix: Prefix; why: Protection }>;

/** This machine, then the allow list of the settings, then that of the administrator: the first one is the reason. */
export function shieldsOf(
  own: readonly OwnNetwork[],
  { allow }: Pick<Policy, "allow">,
  added: readonly Prefix[],
): readonly Shield[] {
  return [...own, ...[...allow, ...added].map((prefix): Shield => ({ prefix, why: "allow_listed" }))];
}

/** What protects the network, or a part of it. */
export function protectedBy(shields: readonly Shield[], network: Prefix): Protection | null {
  return shields.find(({ prefix }) => overlaps(prefix, network))?.why ?? null;
}

/** What forbids a ban, whatever brings it; null if nothing does. */
export function protectionOf({ protection, administratorsAt, clients }: SparingFacts, now: Millis): Protection | null {
  if (protection !== null) return protection;
  if (administratorsAt.some((at) => isInUse(at, now))) return "admin_session";
  return clients.some(isAllClients) ? "all_clients" : null;
}

/** Whether an administrator's session or token that was used then counts as in use. */
export function isInUse(at: Millis, now: Millis): boolean {
  return isWithin(now, at, SESSION_MS);
}

/** Whether behind one private address nearly all clients hide: a container's network or a proxy. */
export function isAllClients({ events, total, names }: ClientShare): boolean {
  return events >= ALL_CLIENTS.events && events >= ALL_CLIENTS.share * total && names >= ALL_CLIENTS.names;
}

/**
 * The decision without a ban that must not be: what was refused for the ban's sake alone passes, what would have been
 * refused anyway still is.
 */
export function withoutForbiddenBan(
  facts: Pick<Facts, "sparing">,
  decided: Decision,
  event: ClientEvent,
  now: Millis,
): Decision {
  const ban = banIn(decided);
  const why = ban === null ? null : protectionOf(facts.sparing(ban.prefix), now);
  if (ban === null || why === null) return decided;
  const changes = decided.changes.flatMap((change) => {
    if (change.type !== "BAN") return [change];
    // The report of a jail is the event that tells of it.
    return event.type === "JAIL_REPORTED" ? [] : spare(facts, ban, why, now);
  });
  if (event.type === "LOGIN_ASKED") return { ...decided, reason: "account_guarded", changes };
  if (event.type === "RECIPIENT") return { ...decided, reason: "recipient_unknown", changes };
  return { ...decided, verdict: "pass", reason: why, changes };
}

/** What tells of a ban that was due and does not come: now and then, for it may be due at each event. */
export function spare(
  facts: Pick<Facts, "sparing">,
  { prefix, ip, code }: Ban,
  why: Protection,
  now: Millis,
): readonly Change[] {
  const { sparedAt } = facts.sparing(prefix);
  if (sparedAt !== null && isWithin(now, sparedAt, NEWS_EVERY_MS)) return [];
  return [{ type: "SPARE", prefix, ip, why, code }];
}

/** The ban that a decision brings; null where it brings none. */
export function banIn(decided: Decision): Ban | null {
  return decided.changes.find((change) => change.type === "BAN")?.ban ?? null;
}

/** A clock that was set back by more than this keeps nothing alive. */
function isWithin(now: Millis, at: Millis, lengthMs: number): boolean {
  return Math.abs(now - at) < lengthMs;
}
