import type { EventRecord } from "../../core/events/record.ts";
import type { Millis } from "../../core/time.ts";
import type { EventProcessorParts } from "../event-processor.ts";
import type { BanLog } from "../storage-ports.ts";

/** What was recorded, in the order in which it happened. `record` null: an older version wrote it, as words only. */
export type Recorded = Readonly<{ id: number; record: EventRecord | null }>;

/** A history of the replay's own: bans and windows as its decisions make them. */
export type ReplayHistory = Pick<
  EventProcessorParts,
  "store" | "history" | "jails" | "accounts" | "honest" | "neighbours"
> &
  Readonly<{
    banLog: Pick<BanLog, "expired">;
    /** Lets go of what no window reaches any more. Between transactions. */
    prune(now: Millis): void;
    close(): void;
  }>;
