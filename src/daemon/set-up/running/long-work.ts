import { type Finished, type RunOptions, runProgram } from "../../../adapters/machine/run-program.ts";
import { SECOND_MS } from "../../../core/time.ts";

/** Work of unknown length at the start. */
export type LongWork = Readonly<{
  /** Called after a few seconds, and then every second. */
  waits: (elapsedMs: number) => void;
  /** Whether the caller wants everything to end. Then the program is ended too. */
  isStopped: () => boolean;
  /** Milliseconds until the first call. */
  patienceMs?: number;
}>;

const PATIENCE_MS = 4 * SECOND_MS;
const EVERY_MS = SECOND_MS;

/** Runs a program without a time limit. */
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
