import { join } from "node:path";
import { WEEK_MS } from "../../core/time.ts";
import { NODE_FLAGS } from "../../host/running/runit.ts";
import type { Layout } from "../../settings/layout.ts";
import { Retention } from "../../store/events/retention.ts";
import { MaintenanceProcess } from "../../store/maintenance/process.ts";
import { WriteAheadLog } from "../../store/maintenance/write-ahead-log.ts";
import type { GuardParts } from "./compose-stores.ts";
import { createCheckpoints, createRemoval } from "./removal.ts";
import { createDatabaseWatch } from "./watch-databases.ts";

/** Time to send finished answers before the guard ends. */
const ANSWERS_MS = 100;

/** Keeps `engine.db` small and its log short, without delaying decisions (docs/adr/0014). */
export function composeMaintenance({ settings, layout, engine, stores, notices, clock, log }: GuardParts) {
  const { db, accountsDb, store, events, logins } = stores;
  const maintenance = new MaintenanceProcess({
    argv: command(layout),
    down: (why) => notices.set("maintenance_down", why),
  });
  const refusals: { saving: string | null } = { saving: null };
  const commit = engine.commit.bind(engine);
  const restart = (): void => void setTimeout(() => process.exit(1), ANSWERS_MS);
  const databases = createDatabaseWatch({
    engine: { db, path: layout.engineDb },
    accounts: { db: accountsDb, path: layout.accountsDb },
    accountChanges: () => logins.changes(),
    commit,
    refuseWrites: (why) => {
      refusals.saving = why;
      store.refuseWrites(why);
    },
    maintenance,
    notices,
    clock,
    log,
    restart,
  });
  const checkpoints = createCheckpoints({
    commit,
    refuseWrites: (why) => store.refuseWrites(refusals.saving ?? why),
    log: new WriteAheadLog(db, layout.engineDb),
    maintenance,
    notices,
    journal: log,
  });
  const retention = new Retention(db, events, {
    maxRows: settings["events.max_rows"],
    maxBytes: settings["events.max_size"],
    maxAgeMs: settings["events.max_age"],
    windowMs: WEEK_MS,
    offenceMs: () => {
      const { memoryMs, ladderMs } = engine.policy.bans;
      return memoryMs + ladderMs.length * (ladderMs.at(-1) ?? 0);
    },
  });
  return {
    /** Call it with any error that a statement threw. */
    noteError: (error: unknown) => databases.noteError(error),
    /** Ends the guard, which is started again at once. */
    restart,
    removal: createRemoval({ engine, store, retention, maintenance, checkpoints, clock, notices, log }),
    start() {
      maintenance.start();
      checkpoints.start();
      databases.start();
    },
    async stop() {
      checkpoints.stop();
      databases.stop();
      await maintenance.stop();
    },
  };
}

/** As the same user, without the guard's capability. */
function command({ node, program, engineDb }: Layout): readonly string[] {
  const without = ["setpriv", "--inh-caps=-all", "--ambient-caps=-all"];
  return [...without, node, ...NODE_FLAGS.split(" "), join(program, "maintenance.js"), engineDb];
}
