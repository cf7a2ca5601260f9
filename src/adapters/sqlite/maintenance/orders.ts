import { messageOf } from "../../../core/error.ts";
import type { Millis } from "../../../core/time.ts";
import type { Surplus } from "../engine-db/retention.ts";
import { isDamage } from "../open.ts";
import type { MaintenanceWork } from "./work.ts";
import type { Copied } from "./write-ahead-log.ts";

/** The guard's orders for the maintenance process: one line each way, one order at a time. */
export type Order =
  | Readonly<{ type: "checkpoint" }>
  | Readonly<{ type: "count"; staleBefore: Millis }>
  | Readonly<{ type: "warm"; from: number; rows: number }>
  | Readonly<{ type: "digest" }>
  | Readonly<{ type: "copy_accounts"; path: string }>;
/** The result of writing a file from which a lost database can be restored. `isDamage`: the database is damaged. */
export type Kept = Readonly<{ ok: true } | { ok: false; isDamage: boolean; why: string }>;
type Results = { checkpoint: Copied; count: Surplus; warm: true; digest: Kept; copy_accounts: Kept };
export type Result<O extends Order> = Results[O["type"]];

/** The first line of the maintenance process. */
export const READY = "ready";

/** Carries out one line and returns its answer as a line of JSON; `null` if it could not be done. */
export async function carryOut(line: string, work: MaintenanceWork): Promise<string> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the guard wrote it, which started this process
  const order = JSON.parse(line) as Order;
  return JSON.stringify(await done(order, work));
}

async function done(order: Order, work: MaintenanceWork): Promise<Results[keyof Results] | null> {
  switch (order.type) {
    case "checkpoint":
      return work.checkpoint();
    case "count":
      return work.count(order.staleBefore);
    case "warm":
      work.warm(order.from, order.rows);
      return true;
    case "digest":
      return kept(() => work.digest());
    case "copy_accounts":
      return kept(() => work.copyAccounts(order.path));
  }
}

async function kept(write: () => void | Promise<void>): Promise<Kept> {
  try {
    await write();
    return { ok: true };
  } catch (error) {
    return { ok: false, isDamage: isDamage(error), why: messageOf(error) };
  }
}
