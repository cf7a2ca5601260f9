import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { WEEK_MS } from "../../core/time.ts";
import type { Engine } from "../../guard/engine.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";
import { NODE_FLAGS } from "../../host/running/runit.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import type { SqliteSenderLogins } from "../../store/accounts-db/mail-lookups.ts";
import type { SqliteStore } from "../../store/engine-db/store.ts";
import type { EventCount } from "../../store/events/event-ids.ts";
import { Retention } from "../../store/events/retention.ts";
import { MaintenanceProcess } from "../../store/maintenance/process.ts";
import { WriteAheadLog } from "../../store/maintenance/write-ahead-log.ts";
import { Checkpoints, Removal } from "./removal.ts";
import { DatabaseWatch } from "./watch-databases.ts";

export type MaintenanceParts = Readonly<{
  db: DatabaseSync;
  accountsDb: DatabaseSync;
  logins: Pick<SqliteSenderLogins, "changes">;
  engine: Engine;
  store: SqliteStore;
  events: EventCount;
  settings: Settings;
  layout: Layout;
  clock: Clock;
  notices: Notices;
  log: Log;
}>;

/** Answers that are ready are sent before the guard ends. */
const ANSWERS_MS = 100;

/** Keeps `engine.db` small and its log short, without delaying decisions (docs/adr/0014). */
export function composeMaintenance({
  db,
  engine,
  store,
  accountsDb,
  logins,
  events,
  settings,
  layout,
  clock,
  notices,
  log,
}: MaintenanceParts) {
  const maintenance = new MaintenanceProcess({
    argv: command(layout),
    down: (why) => {
      if (why === null) notices.clear("maintenance_down");
      else notices.raise("maintenance_down", why);
    },
  });
  const refusals: { saving: string | null } = { saving: null };
  const flush = engine.flush.bind(engine);
  const restart = (): void => void setTimeout(() => process.exit(1), ANSWERS_MS);
  const databases = new DatabaseWatch({
    engine: { db, path: layout.engineDb },
    accounts: { db: accountsDb, path: layout.accountsDb },
    accountChanges: () => logins.changes(),
    flush,
    refuse: (why) => {
      refusals.saving = why;
      store.refuse(why);
    },
    maintenance,
    notices,
    clock,
    log,
    restart,
  });
  const checkpoints = new Checkpoints({
    flush,
    refuse: (why) => store.refuse(refusals.saving ?? why),
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
  });
  return {
    /** Any error that a statement threw. */
    noteError: (error: unknown) => databases.noteError(error),
    /** Ends the guard, which is started again at once. */
    restart,
    removal: new Removal({ engine, store, retention, maintenance, checkpoints, clock, notices, log }),
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
