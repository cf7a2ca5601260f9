import { existsSync, rmSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { EventNames } from "../../adapters/sqlite/engine-db/event-names.ts";
import type { EventTally } from "../../adapters/sqlite/engine-db/event-tally.ts";
import type { SqliteStore } from "../../adapters/sqlite/engine-db/store.ts";
import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Keeper } from "../../engine/admin-ports.ts";
import type { BanLeakMonitor } from "../../engine/alerts/ban-leak-monitor.ts";
import type { QueueUpkeep } from "../../engine/commands/queue-upkeep.ts";
import { breakGlass } from "../../engine/enforce/break-glass.ts";
import { expireAllowed, expireBans } from "../../engine/enforce/expire.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Clock, Log, Notices } from "../../engine/ports.ts";
import type { BanLog } from "../../engine/storage-ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { KEEPER_NOTICES } from "../../wire/control/keeper.ts";
import type { DiskWatch } from "./disk-watch.ts";
import type { Removal } from "./removal.ts";

export type HousekeepingParts = Readonly<{
  engine: Engine;
  banLog: BanLog;
  removal: Pick<Removal, "round">;
  tally: EventTally;
  store: SqliteStore;
  names: EventNames;
  leakMonitor: BanLeakMonitor;
  disk: Pick<DiskWatch, "look">;
  queue: Pick<QueueUpkeep, "round">;
  clock: Clock;
  notices: Notices;
  log: Log;
  layout: Layout;
  keeper: Keeper;
}>;

const EVERY_MS = SECOND_MS;
/** About a millisecond of work, for which decisions wait. */
const EVENTS_PER_STEP = 100;
const KEEPER_EVERY_MS = 2 * SECOND_MS;

/** Periodic work: bans that end, events that are summed up, the check of the disk. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  #timer: NodeJS.Timeout | null = null;
  #keeperAskedAt = 0;
  #askingKeeper = false;
  #working = false;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.#breakGlass();
    this.#timer = setInterval(() => void this.#round(), EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #round(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    const { engine, banLog, store, clock, log } = this.#parts;
    try {
      await this.#probeDatabase();
      await expireBans(engine, banLog, clock);
      await expireAllowed(engine, store, clock);
      await this.#tally();
      await this.#enterNames();
      this.#parts.disk.look();
      this.#parts.leakMonitor.look();
      // Not awaited, so that neither a million old events nor a hanging keeper delays the rest.
      void this.#parts.removal.round();
      void this.#parts.queue.round();
      void this.#askKeeper();
    } catch (error) {
      log.error("Housekeeping failed; it is tried again.", {
        why: messageOf(error),
      });
    }
    this.#working = false;
  }

  /**
   * Whether writing works again: an idle server would not notice until its next mail. A real write, because an empty
   * transaction succeeds on a full disk too.
   */
  async #probeDatabase(): Promise<void> {
    const { engine, notices, clock } = this.#parts;
    if (!notices.list().some(({ code }) => code === "database_unwritable")) return;
    await engine.observe("housekeeping", { inode: `probe ${clock.now()}`, offset: 0 }, []);
  }

  /** The figures that people read: a little at a time, between two turns of decisions. */
  async #tally(): Promise<void> {
    const { engine, tally } = this.#parts;
    for (engine.flush(); tally.step(); engine.flush()) await nextTurn();
  }

  /** The index that people search by, likewise. */
  async #enterNames(): Promise<void> {
    const { engine, names } = this.#parts;
    for (;;) {
      engine.flush();
      if (names.step(EVENTS_PER_STEP) < EVENTS_PER_STEP) return;
      await nextTurn();
    }
  }

  /** What only the root process sees is raised here, with the owner's other notices. */
  async #askKeeper(): Promise<void> {
    const { clock, keeper, notices } = this.#parts;
    if (this.#askingKeeper || clock.now() - this.#keeperAskedAt < KEEPER_EVERY_MS) return;
    this.#keeperAskedAt = clock.now();
    this.#askingKeeper = true;
    const reply = await keeper.ask({ verb: "status" });
    this.#askingKeeper = false;
    if (!reply.ok) return;
    for (const code of KEEPER_NOTICES) {
      const trouble = reply.troubles?.find((one) => one.code === code);
      if (trouble === undefined) notices.clear(code);
      else notices.raise(code, trouble.detail);
    }
  }

  /** The owner asked for it while the guard was down. */
  async #breakGlass(): Promise<void> {
    const { engine, banLog, clock, layout } = this.#parts;
    if (!existsSync(layout.breakGlass)) return;
    const { left } = await breakGlass({ engine, banLog, clock }, "root, while the guard was down");
    if (left === 0) rmSync(layout.breakGlass, { force: true });
  }
}
