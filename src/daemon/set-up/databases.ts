import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { SetUpFailure } from "./failure.ts";
import { userIds } from "./site.ts";

/**
 * Lets the guard's own program, as the guard's own user, create and migrate both databases. It leaves SQLite's -wal and
 * -shm in place, so Postfix and Dovecot can read the accounts even if the guard never starts.
 */
export async function prepareDatabases(
  layout: Layout,
  adminHash: string | null,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { uid, gid } = userIds(USERS.guard);
  const input = adminHash === null ? "" : `${adminHash}\n`;
  const made = await runProgram(
    "setpriv",
    [
      "--reuid",
      String(uid),
      "--regid",
      String(gid),
      "--init-groups",
      "--",
      layout.node,
      "--disable-warning=ExperimentalWarning",
      `${layout.program}/guard.js`,
      "--init",
    ],
    { input, env },
  );
  if (made.code !== 0)
    throw new SetUpFailure(lastLines(made) === "" ? "The databases could not be opened." : lastLines(made));
}
