import type { BanAsked, NetworkEvent } from "../events/command.ts";
import type { EventType } from "../events/event-types.ts";
import type { AccountName } from "../net/address.ts";
import { networkAddress, type Prefix } from "../net/ip.ts";
import { isOver, isoTime, later, type Millis, parseTime } from "../time.ts";
import { guessedName } from "./account-guard.ts";
import { type Ban, type Change, type Decision, uncounted } from "./decision.ts";
import type { SparingFacts } from "./facts.ts";
import { protectionOf } from "./sparing.ts";

/** What the database and the guard's memory say about the network of an event. */
export type NetworkEventFacts = Readonly<{
  /** What may forbid a ban of this network. */
  sparing(network: Prefix): SparingFacts;
  /** The ban in force on exactly the event's network, not on one around it. */
  ban: Ban | null;
  /** The network's entry on the allow list; `expiresAt` null: until it is removed. */
  listed: Readonly<{ note: string; expiresAt: Millis | null }> | null;
  /** Bans in force on or within the network, which an allow-list entry would lift. */
  covered: readonly Prefix[];
}>;

/**
 * Decides on a command about bans or the allow list, or on the end of a ban or entry. Commands on accounts or settings are only
 * recorded (`Audit`).
 */
export function decideNetworkEvent(facts: NetworkEventFacts, event: NetworkEvent, now: Millis): Decision {
  const { prefix } = event;
  switch (event.type) {
    case "BAN_ASKED": {
      const protection = protectionOf(facts.sparing(prefix), now);
      if (protection !== null) return uncounted("refuse", protection);
      return changed("manual", [{ type: "BAN", ban: manualBan(event, facts.ban, now) }]);
    }
    case "UNBAN_ASKED":
      if (facts.ban === null) return uncounted("refuse", "not_banned");
      return changed("manual", [lift(prefix, event.by)]);
    case "ALLOW_ASKED": {
      const { by } = event;
      const { listed } = facts;
      const end = endOf(event, now);
      const expiresAt = listed === null ? end : latest(end, listed.expiresAt);
      const allow = { type: "ALLOW", prefix, note: event.note || (listed?.note ?? ""), by, expiresAt } as const;
      return changed("manual", [allow, ...facts.covered.map((covered) => lift(covered, by))]);
    }
    case "DISALLOW_ASKED":
      if (facts.listed === null) return uncounted("refuse", "not_listed");
      return changed("manual", [{ type: "DISALLOW", prefix, cause: "ALLOW_REMOVED", by: event.by }]);
    case "ALLOW_EXPIRED":
      // It was removed or extended after the search for expired entries.
      if (!isOver(facts.listed?.expiresAt ?? null, now)) return uncounted("refuse", "not_listed", { recorded: false });
      return changed("expired", [{ type: "DISALLOW", prefix, cause: "ALLOW_EXPIRED", by: "engine" }]);
    case "BAN_EXPIRED": {
      // The ban was lifted or replaced after the search for expired bans.
      const { ban } = facts;
      if (ban === null) return uncounted("refuse", "not_banned", { recorded: false });
      if (!isOver(ban.expiresAt, now)) return uncounted("refuse", "banned", { recorded: false });
      return changed("expired", [{ type: "LIFT", prefix, cause: "BAN_EXPIRED", forgiven: false, by: "engine" }]);
    }
  }
}

function endOf({ durationMs }: Pick<BanAsked, "durationMs">, now: Millis): Millis | null {
  return durationMs === null ? null : later(now, durationMs);
}

/** The later of two ends; null: never. */
function latest(a: Millis | null, b: Millis | null): Millis | null {
  return a === null || b === null ? null : later(a, Math.max(0, b - a));
}

function changed(reason: "manual" | "expired", changes: readonly Change[]): Decision {
  return uncounted("pass", reason, { changes });
}

function lift(prefix: Prefix, by: string): Change {
  return { type: "LIFT", prefix, cause: "UNBAN", forgiven: true, by };
}

function manualBan(event: BanAsked, current: Ban | null, now: Millis): Ban {
  const end = endOf(event, now);
  const isKept = event.keepsEnd === true && current !== null && current.simulated !== true;
  return {
    prefix: event.prefix,
    ip: networkAddress(event.prefix),
    level: "manual",
    code: "manual",
    reason: event.note,
    source: event.by,
    createdAt: now,
    expiresAt: isKept ? latest(end, current.expiresAt) : end,
    offences: 0,
  };
}

const FIRST_USED = " since ";

/** The subject of a `PLACES_FORGOTTEN`. */
export function placesSince(account: AccountName, since: Millis): string {
  return `${account}${FIRST_USED}${isoTime(since)}`;
}

type Recorded = Readonly<{ type: EventType; subject: string; until?: Millis | undefined }>;

/**
 * Returns what else a recorded command changes: mail on hold, the places of an account, and guesses at it. With the administrator's help,
 * the account is no longer guarded because of earlier guesses. A replay makes the same changes.
 */
export function sideEffectsOf({ type, subject, until }: Recorded): readonly Change[] {
  switch (type) {
    case "BREAK_GLASS":
      return [{ type: "FORGET_GUESSES", account: null }];
    case "ACCOUNT_ADDED":
    case "ACCOUNT_RESUMED":
    case "PASSWORD_CHANGED":
      return [{ type: "FORGET_GUESSES", account: guessedName(subject.toLowerCase()) }];
    case "ACCOUNT_REMOVED":
      return [
        { type: "FORGET_PLACES", account: subject },
        { type: "DISOWN_HOLD", account: subject, ends: true },
        { type: "FORGET_CORRESPONDENTS", account: subject },
      ];
    case "PLACES_FORGOTTEN": {
      const [account = "", from = ""] = subject.split(FIRST_USED);
      const since = parseTime(from);
      return since === null ? [] : [{ type: "FORGET_PLACES", account, since }];
    }
    case "ACCOUNT_RELEASED":
      return [{ type: "END_HOLD", account: subject, ...(until !== undefined && { until }) }];
    case "HELD_MAIL_DROPPED":
      return [{ type: "DISOWN_HOLD", account: subject }];
    default:
      return [];
  }
}
