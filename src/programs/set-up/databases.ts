import { statSync } from "node:fs";
import { SECOND_MS } from "../../core/time.ts";
import { type Finished, lastLines, type RunOptions, runProgram } from "../../host/machine/run-program.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { MB } from "../../settings/setting.ts";
import type { AdminPassword } from "../../store/passwords/admin-password.ts";

/**
 * Lets a program of the guard create and migrate both databases as the guard's own user. It leaves SQLite's -wal and -shm in place, so
 * Postfix and Dovecot can read the accounts even if the guard never starts. There is no time limit, because a large database that is
 * damaged or of an older version takes minutes.
 */
export async function prepareDatabases(
  layout: Layout,
  admin: Pick<AdminPassword, "hash" | "onlyIfNone"> | null,
  env: Readonly<Record<string, string>>,
  work: LongWork = { waits: () => undefined, isStopped: () => false },
): Promise<void> {
  const { uid, gid } = userIds(USERS.guard);
  const hash = admin?.hash ?? null;
  const asGuard = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"];
  const program = [layout.node, "--disable-warning=ExperimentalWarning", `${layout.program}/guard-databases.js`];
  const argv = [...asGuard, ...program, ...(admin?.onlyIfNone === true ? ["--only-if-none"] : [])];
  // In its own session, as runAsOther does.
  const made = await runLong("setsid", argv, { input: hash === null ? "" : `${hash}\n`, env }, work);
  if (made.code !== 0 && !work.isStopped())
    throw new SetUpFailure(lastLines(made) === "" ? "The databases could not be opened." : lastLines(made));
}

/** The progress messages: the elapsed time, and how much of a damaged database could be read. */
export function preparing({ engineDb }: Layout, elapsedMs: number): string {
  const size = statSync(`${engineDb}.new`, { throwIfNoEntry: false })?.size ?? 0;
  const saved = size === 0 ? "" : `, ${Math.round(size / MB)} MB saved`;
  return `The databases are being prepared: ${Math.round(elapsedMs / SECOND_MS)} s${saved} …`;
}

/** Work of unknown length at the start. */
type LongWork = Readonly<{
  /** Called after a few seconds, and then every second. */
  waits: (elapsedMs: number) => void;
  /** Whether the caller wants everything to end. Then the program is ended too. */
  isStopped: () => boolean;
  /** Milliseconds until the first call. */
  patienceMs?: number;
}>;

const PATIENCE_MS = 4 * SECOND_MS;
const EVERY_MS = SECOND_MS;

export async function runLong(
  program: string,
  args: readonly string[],
  options: Omit<RunOptions, "timeoutMs" | "signal">,
  { waits, isStopped, patienceMs = PATIENCE_MS }: LongWork,
): Promise<Finished> {
  const from = performance.now();
  const end = new AbortController();
  const timer = setInterval(
    () => {
      const elapsedMs = performance.now() - from;
      if (isStopped()) end.abort();
      else if (elapsedMs >= patienceMs) waits(elapsedMs);
    },
    Math.min(EVERY_MS, patienceMs),
  );
  try {
    return await runProgram(program, args, { ...options, timeoutMs: 0, signal: end.signal });
  } finally {
    clearInterval(timer);
  }
}
