import type { LogPosition } from "../events/log-position.ts";
import type { Protection, Reason } from "../events/reasons.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import type { Millis } from "../time.ts";
import type { Credit } from "./honest-mail.ts";

/** `delay` answers late, `defer` asks to come again, `refuse` turns away for good or ends the session. */
export type Verdict = "pass" | "delay" | "defer" | "refuse";

export type BanLevel = "light" | "medium" | "heavy" | "permanent" | "manual";

export type Ban = Readonly<{
  prefix: Prefix;
  /** The address that brought it on. */
  ip: Ip;
  level: BanLevel;
  code: Reason;
  /** One sentence for the administrator. */
  reason: string;
  /** Who reported: `engine`, `fail2ban`, or the administrator's name. */
  source: string;
  createdAt: Millis;
  /** Null: permanent. */
  expiresAt: Millis | null;
  /** Which offence within the memory this is, counting from 1; 0 for a manual ban. */
  offences: number;
  /** It would have been, but for `simulate`: the firewall does not have it. */
  simulated?: true;
}>;

export type Change =
  | Readonly<{ type: "BAN"; ban: Ban }>
  /** `forgiven`: the offence does not count towards the next ban. */
  | Readonly<{ type: "LIFT"; prefix: Prefix; cause: "UNBAN" | "BAN_EXPIRED"; forgiven: boolean; by: string }>
  /** What was simulated ends, and is no offence of anybody. */
  | Readonly<{ type: "END_SIMULATION" }>
  /** An account signed in from here, with a password of this hash. */
  | Readonly<{ type: "KNOW"; prefix: Prefix; account: string; proof: string }>
  /** Someone whom the account does not know tried a password of this hash. `account` in lower case. */
  | Readonly<{ type: "GUESS"; account: string; network: Prefix; proof: string }>
  /** What was guessed at the account, in lower case, counts no more; null: at any. */
  | Readonly<{ type: "FORGET_GUESSES"; account: string | null }>
  /** An account writes to someone elsewhere, whose reply is no stranger's. */
  | Readonly<{ type: "CORRESPOND"; address: string; account: string }>
  /** A mail from a server, or to it, speaks for it. */
  | Readonly<{ type: "CREDIT"; prefix: Prefix; network: Prefix; mail: Credit }>
  /** Everything up to here has been read and recorded. */
  | Readonly<{ type: "READ_LOG"; log: string; position: LogPosition }>
  /** What this jail tells of lines written up to `at` has been judged; `unjudged` counts towards its next report. */
  | Readonly<{ type: "NOTE_REPORT"; prefix: Prefix; jail: string; at: Millis; unjudged: readonly Millis[] }>
  /** A ban was due and did not come. */
  | Readonly<{ type: "SPARE"; prefix: Prefix; ip: Ip; why: Protection; code: Reason }>
  /** `expiresAt` null: until it is taken off. */
  | Readonly<{ type: "ALLOW"; prefix: Prefix; note: string; by: string; expiresAt: Millis | null }>
  | Readonly<{ type: "DISALLOW"; prefix: Prefix; cause: "ALLOW_REMOVED" | "ALLOW_EXPIRED"; by: string }>;

/**
 * The numbers behind a decision: `count` of at most `limit` within `windowMs`. `key`: the setting that says so; null where
 * a jail of Fail2ban does.
 */
export type Evidence = Readonly<{ count: number; limit: number; windowMs: number; key: string | null }>;

export type Decision = Readonly<{
  verdict: Verdict;
  reason: Reason;
  evidence: Evidence | null;
  /** Whether the event enters the sliding windows. */
  counted: boolean;
  /** Whether it leaves a row: a question that changes nothing and will be followed by a report does not. */
  recorded: boolean;
  changes: readonly Change[];
  /** What stands for `{name}` in the reply of the reason: an address or a name from the settings, never a stranger's text. */
  fill: Readonly<Record<string, string>> | null;
  /** What the verdict would have been, but for `simulate`. */
  simulated?: Verdict;
}>;

const NOTHING: readonly Change[] = [];

/** A decision that counts and is recorded; `extra` says what differs. */
export function decision(verdict: Verdict, reason: Reason, extra: Partial<Decision> = {}): Decision {
  return {
    verdict,
    reason,
    evidence: extra.evidence ?? null,
    counted: extra.counted ?? true,
    recorded: extra.recorded ?? true,
    changes: extra.changes ?? NOTHING,
    fill: extra.fill ?? null,
  };
}
