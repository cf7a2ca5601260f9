/**
 * The output of `replay --json`. Times are ISO 8601 UTC; `then` is the recorded decision, `now` that of the other
 * policy.
 */

export type ComparedAddress = Readonly<{
  ip: string;
  prefix: string;
  bansThen: number;
  bansNow: number;
  sparedThen: number;
  sparedNow: number;
  /** Decisions that are stricter now than then (`harder`), or less strict (`milder`). */
  harder: number;
  milder: number;
  firstAt: string;
  /** The reason of its first ban, then or now. */
  reason: string | null;
}>;

/** An account of this server whose sign-in or mail would be refused, deferred or delayed now, and was not then. */
export type ComparedAccount = Readonly<{
  account: string;
  ip: string;
  firstAt: string;
  events: number;
  isBanned: boolean;
  reason: string | null;
}>;

export type Compared = Readonly<{
  at: string;
  event: string;
  ip: string;
  account: string | null;
  verdictThen: string | null;
  reasonThen: string | null;
  verdictNow: string;
  reasonNow: string;
}>;

type Listed<T> = Readonly<{ total: number; items: readonly T[] }>;
type Verdicts = Readonly<Record<"pass" | "delay" | "hold" | "defer" | "refuse", number>>;

export type ReplayReport = Readonly<{
  identical: boolean;
  /** The first and the last compared event; null: there was none. */
  from: string | null;
  to: string | null;
  events: number;
  differences: number;
  /** Events that would not have happened, because an earlier step is now refused. */
  unreached: number;
  banned: Listed<ComparedAddress>;
  notBanned: Listed<ComparedAddress>;
  /** Banned then and now, but a different number of times. */
  bannedOtherwise: Listed<ComparedAddress>;
  spared: Listed<ComparedAddress>;
  notSpared: Listed<ComparedAddress>;
  /** Different decisions, by the new verdict. */
  changed: Readonly<Record<"connections" | "mails" | "sign_ins", Verdicts>>;
  accounts: Listed<ComparedAccount>;
  mostAffected: readonly ComparedAddress[];
  examples: readonly Compared[];
  reach: ReplayReach;
}>;

/** How far back the events reach. */
export type ReplayReach = Readonly<{
  /** The first event that can be decided again; null: there is none. */
  firstEvent: string | null;
  /** Before this time, events were replaced by summaries; null: there are no summaries. */
  summedUpTo: string | null;
  /** Events without data, recorded by an older version. */
  unreadable: number;
  /** There are more events than the limit: the oldest were skipped. */
  cut: boolean;
  /** False: events were skipped, so that the longest windows started with too few. */
  windowsFilled: boolean;
  /** How often settings were applied in that time: earlier decisions were made under other settings. */
  settingsApplied: number;
}>;
