import type { ClientEvent } from "../events/event.ts";
import type { Protection } from "../events/reasons.ts";
import { overlaps, type Prefix } from "../net/ip.ts";
import { MINUTE_MS, type Millis } from "../time.ts";
import type { Ban, Change, Decision } from "./decision.ts";
import type { ClientShare, Facts, SparingFacts } from "./facts.ts";
import type { Policy } from "./policy.ts";

/** How long after its last use a dashboard session or a token counts as in use. */
const SESSION_MS = 30 * MINUTE_MS;
/** How often an event says that a network was spared again. */
const SPARED_EVENT_EVERY_MS = 10 * MINUTE_MS;
/**
 * With this share of all connections and sign-ins, this many of them, and this many different names, one private address
 * hides all clients.
 */
export const ALL_CLIENTS = { share: 0.9, events: 10, names: 3 } as const;

/** Networks that must never be banned, because they are the machine itself or hide all its clients. */
export type OwnNetwork = Readonly<{ prefix: Prefix; why: Extract<Protection, "loopback" | "own_address" | "gateway"> }>;
export type Shield = Readonly<{ prefix: Prefix; why: Protection }>;
/** The only fact that is read here, because others may query the database. */
type Sparing = Pick<Facts, "sparing">;

/** This machine, then the allow list of the settings, then the one made by command: the first match is the reason. */
export function shieldsOf(
  own: readonly OwnNetwork[],
  { allow }: Pick<Policy, "allow">,
  added: readonly Prefix[],
): readonly Shield[] {
  return [...own, ...[...allow, ...added].map((prefix): Shield => ({ prefix, why: "allow_listed" }))];
}

/** What protects the network or a part of it. */
export function protectedBy(shields: readonly Shield[], network: Prefix): Protection | null {
  return shields.find(({ prefix }) => overlaps(prefix, network))?.why ?? null;
}

/** What forbids any ban; null if nothing does. */
export function protectionOf({ protection, administratorsAt, clients }: SparingFacts, now: Millis): Protection | null {
  if (protection !== null) return protection;
  if (administratorsAt.some((at) => isInUse(at, now))) return "admin_session";
  return clients.some(isAllClients) ? "all_clients" : null;
}

/** Whether an administrator's session or token used then still counts as in use. A clock that was set back further ends that. */
export function isInUse(at: Millis, now: Millis): boolean {
  return Math.abs(now - at) < SESSION_MS;
}

/** Whether one private address hides nearly all clients, as a container network or a proxy does. */
export function isAllClients({ events, total, names }: ClientShare): boolean {
  return events >= ALL_CLIENTS.events && events >= ALL_CLIENTS.share * total && names >= ALL_CLIENTS.names;
}

/**
 * The decision without a forbidden ban. If the ban was the only reason for a refusal, the event passes; otherwise it is
 * still refused.
 */
export function withoutForbiddenBan(facts: Sparing, decided: Decision, event: ClientEvent, now: Millis): Decision {
  const ban = banIn(decided);
  const why = ban === null ? null : protectionOf(facts.sparing(ban.prefix), now);
  if (ban === null || why === null) return decided;
  const changes = decided.changes.flatMap((change) => {
    if (change.type !== "BAN") return [change];
    // The jail's report already records that the ban was spared.
    return event.type === "JAIL_REPORTED" ? [] : spare(facts, ban, why, now);
  });
  if (event.type === "LOGIN_ASKED") return { ...decided, changes };
  if (event.type === "RECIPIENT") return { ...decided, reason: "recipient_unknown", changes };
  // A mail with too many header lines or parts for the filters is still refused, regardless of its sender.
  if (event.type === "END_OF_MESSAGE") return { ...decided, changes };
  return { ...decided, verdict: "pass", reason: why, changes };
}

/** Records that a ban was due but spared, at most every ten minutes, because a ban may be due at each event. */
export function spare(facts: Sparing, { prefix, ip, code }: Ban, why: Protection, now: Millis): readonly Change[] {
  const { sparedAt } = facts.sparing(prefix);
  if (sparedAt !== null && Math.abs(now - sparedAt) < SPARED_EVENT_EVERY_MS) return [];
  return [{ type: "SPARE", prefix, ip, why, code }];
}

export function banIn(decided: Decision): Ban | null {
  return decided.changes.find((change) => change.type === "BAN")?.ban ?? null;
}
