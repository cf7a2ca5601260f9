import type { Protection, Reason } from "../events/reasons.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import { formatDuration, type Millis } from "../time.ts";
import type { Credit } from "./honest-mail.ts";

/**
 * `delay` answers a sign-in late, `hold` accepts a mail and keeps it in the queue until the owner decides, `defer` asks the
 * client to retry later, `refuse` refuses for good or ends the session. A `NetworkEvent`, such as a ban by hand, passes or is refused.
 */
export type Verdict = "pass" | "delay" | "hold" | "defer" | "refuse";

export const BAN_LEVELS = ["light", "medium", "heavy", "permanent", "manual"] as const;
export type BanLevel = (typeof BAN_LEVELS)[number];

/** Its event (`changeRecord`) uses other names: `reason` for `code`, `says` for `reason`, `actor` for `source`. */
export type Ban = Readonly<{
  prefix: Prefix;
  /** The address that caused it; for a manual ban, the first address of its network. */
  ip: Ip;
  level: BanLevel;
  code: Reason;
  /** One sentence for the administrator; for a manual ban, the note given with the command. */
  reason: string;
  /** Who made it: an `Actor` (events/command.ts). */
  source: string;
  createdAt: Millis;
  /** Null: permanent. */
  expiresAt: Millis | null;
  /** The number of the offence within the memory, counting from 1; 0 for a manual ban. */
  offences: number;
  /** A ban that only `simulate` prevented: it is not in the firewall. */
  simulated?: true;
}>;

export type Change =
  | Readonly<{ type: "BAN"; ban: Ban }>
  /** `forgiven`: the offence does not count towards the next ban. */
  | Readonly<{ type: "LIFT"; prefix: Prefix; cause: "UNBAN" | "BAN_EXPIRED"; forgiven: boolean; by: string }>
  /** Ends simulated bans, which count as no offence. */
  | Readonly<{ type: "END_SIMULATION" }>
  /** An account signed in from here with a password that has this hash. */
  | Readonly<{ type: "KNOW"; prefix: Prefix; account: string; passwordHash: string }>
  /**
   * A client that the account does not know tried a password with this hash. `account`: see `guessedName` in account-guard.ts. `isStale`:
   * the password looked right, as an old one does that a device still uses.
   */
  | Readonly<{ type: "GUESS"; account: string; network: Prefix; passwordHash: string; isStale: boolean }>
  /** From now on the account (in lower case) has a password with this hash, which is empty if unknown. */
  | Readonly<{ type: "SET_PASSWORD"; account: string; passwordHash: string }>
  /** Earlier guesses at the account (see `guessedName`) no longer count; null: for all accounts. */
  | Readonly<{ type: "FORGET_GUESSES"; account: string | null }>
  /** Removes the places where the account signed in, or only those where it first did at `since` or later. */
  | Readonly<{ type: "FORGET_PLACES"; account: string; since?: Millis }>
  /** An account writes to an outside address, whose reply is then expected. */
  | Readonly<{ type: "CORRESPOND"; address: string; account: string }>
  /** From now on the mail of this account is held. `prefix`, `ip`: where the mail that exceeded the limit came from. */
  | Readonly<{ type: "HOLD_ACCOUNT"; account: string; prefix: Prefix; ip: Ip; evidence: Evidence }>
  /** The owner vouches for the account: its hold ends if it started by `until`, and the recipients of mail held by then become known. */
  | Readonly<{ type: "END_HOLD"; account: string; until?: Millis }>
  /** The held mail was deleted, so no one vouches for it or for the place it came from. `ends`: the account is removed. */
  | Readonly<{ type: "DISOWN_HOLD"; account: string; ends?: true }>
  /** The account is removed. A later account with the same name has written to no one. */
  | Readonly<{ type: "FORGET_CORRESPONDENTS"; account: string }>
  /** This mail waits in the queue. `recipients`: whom the account has written to once the mail is released. */
  | Readonly<{
      type: "HOLD_MAIL";
      queueId: string;
      account: string;
      ip: Ip | null;
      recipientCount: number;
      recipients: readonly string[];
    }>
  /** These mails were released or deleted. */
  | Readonly<{ type: "FORGET_HELD"; queueIds: readonly string[] }>
  /** A server permanently refused mail from this account to someone to whom the account had never written. */
  | Readonly<{ type: "NOTE_REFUSAL"; account: string }>
  /** Credits a server for a mail from it or to it. */
  | Readonly<{ type: "CREDIT"; prefix: Prefix; network: Prefix; mail: Credit }>
  /** The log up to here has been read and recorded. */
  | Readonly<{ type: "READ_LOG"; log: string; position: LogPosition }>
  /** The jail's lines up to `at` have been decided on; `unjudged` counts towards its next report. */
  | Readonly<{ type: "NOTE_REPORT"; prefix: Prefix; jail: string; at: Millis; unjudged: readonly Millis[] }>
  /** A ban was due, but something forbids it. */
  | Readonly<{ type: "SPARE"; prefix: Prefix; ip: Ip; why: Protection; code: Reason }>
  /** `expiresAt` null: until it is removed. */
  | Readonly<{ type: "ALLOW"; prefix: Prefix; note: string; by: string; expiresAt: Millis | null }>
  | Readonly<{ type: "DISALLOW"; prefix: Prefix; cause: "ALLOW_REMOVED" | "ALLOW_EXPIRED"; by: string }>;

export type BanChange = Extract<Change, { type: "BAN" }>;

/**
 * The numbers behind a decision: `count` of at most `limit` within `windowMs`, which is 0 if everything was in one mail. `key`: the
 * setting; null if not exactly one setting decided.
 */
export type Evidence = Readonly<{ count: number; limit: number; windowMs: number; key: string | null }>;

export function countedText({ count, limit, windowMs }: Omit<Evidence, "key">): string {
  return windowMs === 0 ? `${count}, limit ${limit}` : `${count} within ${formatDuration(windowMs)}, limit ${limit}`;
}

export type Decision = Readonly<{
  verdict: Verdict;
  reason: Reason;
  evidence: Evidence | null;
  /** Whether the event counts in the sliding windows. */
  counted: boolean;
  /** Whether the event is recorded. `recordOf` lists those that are not. */
  recorded: boolean;
  changes: readonly Change[];
  /** The values for `{name}` in the reason's reply: an address or a name from the settings, never text from a stranger. */
  fill: Readonly<Record<string, string>> | null;
  /** What the client would have got without `simulate`; absent if the decision takes effect. `defer` if Postgrey would have been asked. */
  simulated?: Verdict;
}>;

/** Whether the mail passes here, but Postgrey may still defer it. */
export function isLeftToPostgrey({ reason }: Readonly<{ reason: Reason | null }>): boolean {
  return reason === "greylist_asked" || reason === "recipient_hidden";
}

/** Whether a pass may be answered before its commit: Postgrey cannot defer it, and it accepts no mail, because the guard is asked again. */
export function isIntermediatePass(type: string, decided: Pick<Decision, "verdict" | "reason">): boolean {
  if (decided.verdict !== "pass" || isLeftToPostgrey(decided)) return false;
  return type === "CONNECT" || type === "RECIPIENT" || type === "DATA";
}

const NOTHING: readonly Change[] = [];

type Extra = Partial<Omit<Decision, "simulated">>;

/** A decision that counts and is recorded. `extra` overrides the defaults. */
export function decision(verdict: Verdict, reason: Reason, extra: Extra = {}): Decision {
  return { evidence: null, counted: true, recorded: true, changes: NOTHING, fill: null, ...extra, verdict, reason };
}

/** The same for an event that does not count. It does not call `decision`, because that would copy `extra` twice. */
export function uncounted(verdict: Verdict, reason: Reason, extra: Omit<Extra, "counted"> = {}): Decision {
  return { evidence: null, counted: false, recorded: true, changes: NOTHING, fill: null, ...extra, verdict, reason };
}

/**
 * How far a log has been read: `offset` bytes of the file with this inode (its number, its creation time, once a line was
 * read the checksum of its first, and after a rotation the former file with its offset, until all of it is read).
 */
export type LogPosition = Readonly<{ inode: string; offset: number }>;
