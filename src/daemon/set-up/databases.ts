import { statSync } from "node:fs";
import { lastLines } from "../../adapters/machine/run-program.ts";
import { userIds } from "../../adapters/machine/system-users.ts";
import { SECOND_MS } from "../../core/time.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { SetUpFailure } from "./failure.ts";
import { type LongWork, runLong } from "./running/long-work.ts";
import type { AdminPassword } from "./secrets.ts";

const MB = 1024 * 1024;

/**
 * Lets a program of the guard, as the guard's own user, create and migrate both databases. It leaves SQLite's -wal and
 * -shm in place, so Postfix and Dovecot can read the accounts even if the guard never starts. Without a time limit: a large
 * database that is damaged, or of an older version, takes minutes.
 */
export async function prepareDatabases(
  layout: Layout,
  admin: Pick<AdminPassword, "hash" | "onlyIfNone"> | null,
  env: Readonly<Record<string, string>>,
  work: LongWork = { waits: () => undefined, isStopped: () => false },
): Promise<void> {
  const { uid, gid } = userIds(USERS.guard);
  const hash = admin?.hash ?? null;
  const made = await runLong(
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
      `${layout.program}/guard-databases.js`,
      ...(admin?.onlyIfNone === true ? ["--only-if-none"] : []),
    ],
    { input: hash === null ? "" : `${hash}\n`, env },
    work,
  );
  if (made.code !== 0 && !work.isStopped())
    throw new SetUpFailure(lastLines(made) === "" ? "The databases could not be opened." : lastLines(made));
}

/** The progress messages: the elapsed time, and how much of a damaged database could be read. */
export function preparing({ engineDb }: Layout, elapsedMs: number): string {
  const size = statSync(`${engineDb}.new`, { throwIfNoEntry: false })?.size ?? 0;
  const saved = size === 0 ? "" : `, ${Math.round(size / MB)} MB saved`;
  return `The databases are being prepared: ${Math.round(elapsedMs / SECOND_MS)} s${saved} …`;
}
