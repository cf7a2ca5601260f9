import { readFileSync } from "node:fs";
import { systemClock } from "../../adapters/machine/clock.ts";
import { SqliteCredentials } from "../../adapters/sqlite/accounts-db/admin.ts";
import { initialise } from "../../adapters/sqlite/engine-db/initialise.ts";
import { messageOf } from "../../core/error.ts";
import { DEFAULT_DATA_DIRECTORY, type Layout, layoutOf } from "../../settings/layout.ts";
import { composeGuard } from "./compose.ts";
import { readSettings } from "./settings.ts";

/** The guard's program. `--init` creates both databases, takes the hash of a new admin password on stdin, and ends. */

const layout = layoutOf(process.env["GHOSTINBOX_DATA"] ?? DEFAULT_DATA_DIRECTORY);
try {
  if (process.argv.includes("--init")) prepare(layout);
  else await run(layout);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}

/** Exits without closing: a clean close would remove `-wal` and `-shm`, which Postfix and Dovecot need. */
function prepare(where: Layout): never {
  const databases = initialise(where);
  const hash = readFileSync(0, "utf8").trim();
  if (hash !== "") new SqliteCredentials(databases.engine, systemClock).setAdminPassword(hash);
  process.exit(0);
}

async function run(where: Layout): Promise<void> {
  const read = readSettings(where);
  if (!read.ok) throw new Error(read.reason);
  const guard = composeGuard(where, read.settings, readFileSync(where.loginPolicySecret, "utf8").trim());
  const end = (): void => void guard.stop().finally(() => process.exit(0));
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  await guard.start();
}
