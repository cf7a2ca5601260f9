import type { EventRecord } from "../../core/events/record.ts";
import type { Millis } from "../../core/time.ts";
import type { EventProcessorParts } from "../event-processor.ts";
import type { BanLog } from "../storage-ports.ts";

/** Recorded events in order. `record` null: an older version wrote only text. */
export type Recorded = Readonly<{ id: number; record: EventRecord | null }>;

/** The replay's own history: bans and windows as its decisions make them. */
export type ReplayHistory = Pick<
  EventProcessorParts,
  "store" | "history" | "jails" | "accounts" | "sending" | "honest" | "neighbours"
> &
  Readonly<{
    banLog: Pick<BanLog, "expired">;
    /** Deletes what no window reaches any more. Call it between transactions. */
    prune(now: Millis): void;
    close(): void;
  }>;
