import { readFileSync } from "node:fs";
import { systemClock } from "../../host/machine/clock.ts";
import { withAdvice } from "../../host/running/failure.ts";
import { layoutFrom } from "../../settings/layout.ts";
import { sqliteCredentials } from "../../store/accounts-db/credentials.ts";
import { initialise } from "../../store/recovery/initialise.ts";

/**
 * Creates and migrates both databases as the guard's user, sets the admin password whose hash is on stdin, and ends. With `--only-if-none`
 * a stored one stays. A separate program, because each start runs it: it has a tenth of the guard's size.
 * Exits without closing: a clean close would remove `-wal` and `-shm`, which Postfix and Dovecot need.
 */

try {
  const databases = initialise(layoutFrom(process.env));
  const hash = readFileSync(0, "utf8").trim();
  const credentials = sqliteCredentials(databases.accounts, systemClock);
  const stays = process.argv.includes("--only-if-none") && credentials.adminPasswordHash() !== null;
  if (hash !== "" && !stays) credentials.setAdminPassword(hash);
  process.exit(0);
} catch (error) {
  process.stderr.write(`${withAdvice(error)}\n`);
  process.exit(1);
}
