import type { Millis } from "../../../core/time.ts";
import type { Surplus } from "../engine-db/retention.ts";
import type { MaintenanceWork } from "./work.ts";
import type { Copied } from "./write-ahead-log.ts";

/** The guard's orders for the maintenance process: one line each way, one order at a time. */
export type Order =
  | Readonly<{ type: "checkpoint" }>
  | Readonly<{ type: "count"; staleBefore: Millis }>
  | Readonly<{ type: "warm"; from: number; rows: number }>
  | Readonly<{ type: "digest" }>;
type Results = { checkpoint: Copied; count: Surplus; warm: true; digest: true };
export type Result<O extends Order> = Results[O["type"]];

/** The first line of the maintenance process. */
export const READY = "ready";

/** Carries out one line and returns its answer as a line of JSON; `null` if it could not be done. */
export function carryOut(line: string, work: MaintenanceWork): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the guard wrote it, which started this process
  const order = JSON.parse(line) as Order;
  return JSON.stringify(done(order, work));
}

function done(order: Order, work: MaintenanceWork): Results[keyof Results] | null {
  switch (order.type) {
    case "checkpoint":
      return work.checkpoint();
    case "count":
      return work.count(order.staleBefore);
    case "warm":
      work.warm(order.from, order.rows);
      return true;
    case "digest":
      work.digest();
      return true;
  }
}
