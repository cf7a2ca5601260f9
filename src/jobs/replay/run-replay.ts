import type { DatabaseSync } from "node:sqlite";
import type { Policy } from "../../core/decide/policy.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { DAY_MS, instant, isoTimeOrNull, later, type Millis } from "../../core/time.ts";
import { ownNetworks } from "../../host/machine/own-networks.ts";
import { comparison } from "./comparison.ts";
import { type Recorded, recordedEvents } from "./recorded-events.ts";
import { replay } from "./replay.ts";
import { openReplayHistory } from "./replay-history.ts";
import { inOrder } from "./sequence.ts";

/** Events from this long before the first compared one fill its windows. */
const WARM_UP_MS = DAY_MS;

export type ReplayAsked = Readonly<{
  policy: Policy;
  /** `allow.networks` of the settings in force. */
  allowNow: readonly Prefix[];
  /** `http.trusted_proxies` and `proxy.networks`: never banned. */
  proxies: readonly Prefix[];
  /** Older events are not compared. */
  since: Millis;
  /** Only events of this address or network; null: all. */
  only: Prefix | null;
  /** Maximum events; the newest are used. Up to half of them fill the windows, and are not compared. */
  mostEvents: number;
  now: Millis;
}>;

export type ReplayReport = Readonly<ReturnType<typeof runReplay>>;

/** Reads recorded events over a read-only connection, and compares them with a different policy's decisions. */
export function runReplay(db: DatabaseSync, asked: ReplayAsked) {
  const { policy, allowNow, proxies, since, only, mostEvents, now } = asked;
  const recorded = recordedEvents(db);
  const last = recorded.last();
  const wanted = recorded.firstSince(later(since, -WARM_UP_MS));
  const first = Math.max(wanted, last - mostEvents + 1);
  const firstAt = recorded.firstReadable(first);
  const cut = first > wanted;
  // The first of the remaining events fill the windows, but at most half of them.
  const halfAt = cut ? recorded.firstReadable(first + Math.floor(mostEvents / 2)) : null;
  const filledAt = firstAt === null ? now : later(firstAt, WARM_UP_MS);
  const comparedFrom = halfAt === null ? since : instant(Math.max(since, Math.min(filledAt, halfAt)));
  /** Events that an older version recorded without data, and how often the settings that decided events changed. */
  const seen = { unreadable: 0, settingsApplied: 0 };
  const history = openReplayHistory(db, firstAt ?? now);
  const compared = comparison(only, comparedFrom);
  try {
    const own = ownNetworks(proxies);
    const steps = inOrder(noting(recorded.between(first, last), seen));
    for (const replayed of replay({ policy, allowNow, own, history }, steps)) compared.see(replayed);
  } finally {
    history.close();
  }
  /** How far back the events reach. */
  const reach = {
    /** The first event that can be decided again; null: there is none. */
    firstEvent: isoTimeOrNull(firstAt),
    /** Before this time, events were replaced by summaries; null: there are no summaries. */
    summedUpTo: isoTimeOrNull(recorded.summedUpTo()),
    ...seen,
    /** There are more events than the limit: the oldest were skipped. */
    cut,
    /** False if skipped events were missing in the longest windows at the start. */
    windowsFilled: !cut || filledAt <= comparedFrom,
  };
  return { ...compared.report(), reach };
}

function* noting(recorded: Iterable<Recorded>, seen: { unreadable: number; settingsApplied: number }) {
  for (const one of recorded) {
    if (one.record === null) seen.unreadable++;
    else if (one.record.type === "SETTINGS_APPLIED") seen.settingsApplied++;
    yield one;
  }
}
