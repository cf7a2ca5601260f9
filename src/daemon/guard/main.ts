import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../../adapters/machine/clock.ts";
import { SqliteCredentials } from "../../adapters/sqlite/accounts-db/admin.ts";
import { initialise } from "../../adapters/sqlite/engine-db/initialise.ts";
import { codeOf, messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import { DEFAULT_DATA_DIRECTORY, type Layout, layoutOf } from "../../settings/layout.ts";
import { composeGuard } from "./compose.ts";
import { readSettings } from "./settings.ts";

/**
 * The guard's program. `--init` creates both databases, takes the hash of a new admin password on stdin, and ends. With
 * `--only-if-none` a stored one stays.
 */

const BEFORE_NEXT_TRY_MS = 4 * SECOND_MS;

const layout = layoutOf(process.env["GHOSTINBOX_DATA"] ?? DEFAULT_DATA_DIRECTORY);
try {
  if (process.argv.includes("--init")) prepare(layout);
  else await run(layout);
} catch (error) {
  process.stderr.write(`${messageOf(error)}${adviceFor(error)}\n`);
  // runsv(8) would try again each second, and fill the log.
  if (!process.argv.includes("--init")) await pause(BEFORE_NEXT_TRY_MS);
  process.exit(1);
}

/** An error without a next step of its own. */
function adviceFor(error: unknown): string {
  const isForbidden = ["EACCES", "EPERM"].includes(codeOf(error));
  return isForbidden ? ". Stop the server and start it again: the start restores owners and rights." : "";
}

/** Exits without closing: a clean close would remove `-wal` and `-shm`, which Postfix and Dovecot need. */
function prepare(where: Layout): never {
  const databases = initialise(where);
  const hash = readFileSync(0, "utf8").trim();
  const credentials = new SqliteCredentials(databases.accounts, systemClock);
  const stays = process.argv.includes("--only-if-none") && credentials.adminPasswordHash() !== null;
  if (hash !== "" && !stays) credentials.setAdminPassword(hash);
  process.exit(0);
}

async function run(where: Layout): Promise<void> {
  const read = readSettings(where);
  if (!read.ok) throw new Error(`${read.reason} Correct it: \`./ghostinbox config check\` shows every problem.`);
  const guard = composeGuard(where, read, readFileSync(where.loginPolicySecret, "utf8").trim());
  const end = (): void => void guard.stop().finally(() => process.exit(0));
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  await guard.start();
}
