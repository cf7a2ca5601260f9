import { existsSync, rmSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { KEEPER_NOTICES } from "../../core/alerts/notices.ts";
import { messageOf, reportOnce } from "../../core/error.ts";
import { unlessRunning } from "../../core/one-after-another.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { createOwnDeliveries, QueueUpkeep } from "../../guard/commands/queue/queue-upkeep.ts";
import { breakGlass, expireAllowed, expireBans } from "../../guard/enforce/end-bans.ts";
import type { BanLog } from "../../guard/storage-ports.ts";
import type { SqliteStore } from "../../store/engine-db/store.ts";
import type { sqliteEventNames } from "../../store/events/event-index.ts";
import type { sqliteEventTally } from "../../store/events/event-tally.ts";
import type { GuardParts } from "./compose-stores.ts";
import { type createRemoval, StepSize } from "./removal.ts";
import type { createDiskWatch } from "./watch-machine.ts";

type HousekeepingParts = Omit<GuardParts, "settings" | "stores"> &
  Readonly<{
    banLog: BanLog;
    removal: Pick<ReturnType<typeof createRemoval>, "round">;
    tally: ReturnType<typeof sqliteEventTally>;
    store: SqliteStore;
    eventNames: ReturnType<typeof sqliteEventNames>;
    disk: Pick<ReturnType<typeof createDiskWatch>, "lacksRoom">;
    /** Checks of each round, and of every fifth one. */
    watches: Readonly<Record<"often" | "seldom", readonly (() => void)[]>>;
    queue: Pick<QueueUpkeep, "round">;
    deliveries: Pick<ReturnType<typeof createOwnDeliveries>, "look">;
  }>;

const SELDOM_ROUNDS = 5;
/** Maximum time of a step while mail comes, and otherwise; and the pause after a step, as a multiple of its time. */
const [BUSY_STEP_MS, QUIET_STEP_MS, PAUSE_TIMES] = [0.1, 1, 9];
const ROWS = { least: 8, most: 500 };
/** Time for each kind of step in each round. */
const CATCH_UP_MS = 400;
const KEEPER_EVERY_MS = 2 * SECOND_MS;

/** Periodic work: expiring bans, aggregating events, checking the disk. */
export function createHousekeeping(parts: HousekeepingParts) {
  const { engine, banLog, disk, deliveries, clock, notices, log, layout, keeper } = parts;
  let timer: NodeJS.Timeout | undefined;
  let keeperAskedAt = 0;
  let rounds = 0;
  const tallied = new StepSize(ROWS);
  const named = new StepSize(ROWS);
  /** Whether events came during the last pause between two steps. */
  let isBusy = false;
  const report = reportOnce((why) => log.error("Housekeeping failed; retrying.", { why }));

  /** Lifts bans that root lifted only in the kernel. Call it before the kernel gets the bans again. */
  async function finishBreakGlass(): Promise<void> {
    if (!existsSync(layout.breakGlass) || isUnwritable()) return;
    const { isDone } = await breakGlass({ engine, banLog, clock }, "root, without the guard");
    if (isDone) rmSync(layout.breakGlass, { force: true });
  }

  function start(): void {
    timer = setInterval(() => void round(), SECOND_MS);
  }

  const round = unlessRunning(async () => {
    const { store, removal, queue, watches, tally, eventNames } = parts;
    // Not awaited, so that neither a million old events nor a hanging keeper delays the rest.
    void removal.round();
    void queue.round();
    void askKeeper();
    await each([
      ...watches.often,
      ...(rounds % SELDOM_ROUNDS === 0 ? watches.seldom : []),
      probeDatabase,
      finishBreakGlass,
      () => expireBans(engine, banLog, clock),
      () => expireAllowed(engine, store, clock),
      () => catchUp(tallied, (most) => tally.step(most)),
      () => catchUp(named, (most) => eventNames.step(most)),
    ]);
    rounds += 1;
  });

  /** A failed task, such as a write while the database is locked, does not prevent the others. */
  async function each(steps: readonly (() => unknown)[]): Promise<void> {
    const failures = new Set<string>();
    for (const step of steps)
      try {
        await step();
      } catch (error) {
        failures.add(messageOf(error));
      }
    report(failures.size === 0 ? null : [...failures].join("; "));
  }

  function isUnwritable(): boolean {
    return notices.list().some(({ code }) => code === "database_unwritable");
  }

  /**
   * Tries a real write after writes have failed, because an idle server would not notice before its next mail that the database works
   * again. An empty transaction succeeds on a full disk too.
   */
  async function probeDatabase(): Promise<void> {
    if (isUnwritable()) await engine.observe("housekeeping", { inode: `probe ${clock.now()}`, offset: 0 }, []);
  }

  /**
   * Adds events to what only people's searches need, which may lag. Takes tiny steps with pauses while mail comes, larger ones without
   * pauses otherwise. A flood leaves some events for later rounds.
   */
  async function catchUp(size: StepSize, step: (most: number) => boolean): Promise<void> {
    for (const until = performance.now() + CATCH_UP_MS; performance.now() < until; ) {
      engine.commit();
      const [from, last] = [performance.now(), engine.lastEventId];
      if (!step(size.rows)) return;
      const tookMs = performance.now() - from;
      await (isBusy ? pause(PAUSE_TIMES * tookMs) : nextTurn());
      isBusy = engine.lastEventId !== last;
      size.took(tookMs, isBusy ? BUSY_STEP_MS : QUIET_STEP_MS);
    }
  }

  /** Raises notices about problems that only the root process sees. */
  const askKeeper = unlessRunning(async () => {
    if (clock.now() - keeperAskedAt < KEEPER_EVERY_MS) return;
    keeperAskedAt = clock.now();
    const reply = await keeper.ask({ verb: "status" });
    if (!reply.ok) return;
    for (const code of KEEPER_NOTICES) {
      const trouble = reply.troubles?.find((one) => one.code === code);
      notices.set(code, trouble?.detail ?? null, trouble?.about);
    }
    void deliveries.look(disk.lacksRoom() ? null : readyDovecot(reply));
  });

  return { finishBreakGlass, start, stop: () => clearInterval(timer) };
}

/** Dovecot's process id, which identifies its run; null while it does not work. */
function readyDovecot({ services = [] }: Extract<KeeperReply, { ok: true }>): string | null {
  const dovecot = services.find(({ name }) => name === "dovecot");
  const isReady = dovecot?.up === true && dovecot.trouble === undefined && dovecot.silence === undefined;
  return isReady ? String(dovecot.pid) : null;
}
