import type { Policy } from "../../core/decide/policy.ts";
import type { EventRecord } from "../../core/events/event.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { EventProcessorParts } from "../../guard/event-processor.ts";
import type { BanLog } from "../../guard/storage-ports.ts";

/** Recorded events in order. `record` null: an older version wrote only text. */
export type Recorded = Readonly<{ id: number; record: EventRecord | null }>;

/** The replay's own history: bans and windows as its decisions make them. */
export type ReplayHistory = Pick<
  EventProcessorParts,
  "store" | "history" | "bansInForce" | "jails" | "accounts" | "sending" | "honest" | "neighbours"
> &
  Readonly<{
    banLog: Pick<BanLog, "expired">;
    /** Deletes events that no window reaches any more. Call it between transactions. */
    prune(now: Millis): void;
    close(): void;
  }>;

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
