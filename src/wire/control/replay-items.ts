/** What `replay --json` prints. Times are ISO 8601 UTC; `then` is what was recorded, `now` what the other policy decides. */

export type ComparedAddress = Readonly<{
  ip: string;
  prefix: string;
  bansThen: number;
  bansNow: number;
  sparedThen: number;
  sparedNow: number;
  /** Events that were decided more strictly, and less. */
  harder: number;
  milder: number;
  firstAt: string;
  /** Of its first ban, then or now. */
  reason: string | null;
}>;

/** An account of this server whose sign-in or mail would have been refused, deferred or delayed, and was not. */
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
type Verdicts = Readonly<Record<"pass" | "delay" | "defer" | "refuse", number>>;

export type ReplayReport = Readonly<{
  identical: boolean;
  /** The first and the last event that was compared; null: there was none. */
  from: string | null;
  to: string | null;
  events: number;
  differences: number;
  /** Events that would not have happened: the rest of what is refused now. */
  unreached: number;
  banned: Listed<ComparedAddress>;
  notBanned: Listed<ComparedAddress>;
  /** Banned then and now, another number of times. */
  bannedOtherwise: Listed<ComparedAddress>;
  spared: Listed<ComparedAddress>;
  notSpared: Listed<ComparedAddress>;
  /** Decisions that differ, by what they are now. */
  changed: Readonly<Record<"connections" | "mails" | "sign_ins", Verdicts>>;
  accounts: Listed<ComparedAccount>;
  mostAffected: readonly ComparedAddress[];
  /** The first differences. */
  examples: readonly Compared[];
  reach: ReplayReach;
}>;

/** How far back the events reach. */
export type ReplayReach = Readonly<{
  /** The first event that can be decided again; null: there is none. */
  firstEvent: string | null;
  /** Older events were summed up until then; null: none was. */
  summedUpTo: string | null;
  /** Events without their data, that an older version recorded. */
  unreadable: number;
  /** More events than are looked at: the oldest were left out. */
  cut: boolean;
  /** How often settings were applied meanwhile: what was decided before was decided by others. */
  settingsApplied: number;
}>;
