import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../core/error.ts";
import { HOUR_MS, span } from "../core/time.ts";
import type { Clock } from "../guard/ports.ts";
import { withPipes } from "../host/machine/run-program.ts";
import { NODE_FLAGS } from "../host/running/runit.ts";
import type { Layout } from "../settings/layout.ts";

/**
 * Returns a function that starts work if needed, one run at a time, and returns the promise of the current run; null if there is none.
 * `settings`: null while they cannot be read. `start`: null if no run is needed. Nothing starts while the clock may be wrong: a run noted
 * with a wrong time would be repeated. The function throws if nothing can be noted.
 */
export function oneAtATime<Used>(
  clock: Clock,
  settings: () => Used | null,
  start: (settings: Used, now: number) => Promise<void> | null,
) {
  let running: Promise<void> | null = null;
  return (): Promise<void> | null => {
    const inForce = settings();
    if (inForce !== null && running === null && !clock.jump?.())
      running = start(inForce, clock.now())?.finally(() => (running = null)) ?? null;
    return running;
  };
}

/** Length of the last output that is kept, enough for a stack trace. */
const OUTPUT_CHARACTERS = 16_384;

/** Starts a program as `runBehind` does. */
export type RunBehind = typeof runBehind;

/** After `ms` the program is killed, and `passed` is called with the message. */
type RunLimit = Readonly<{ ms: number; passed: (reason: string) => void }>;

/**
 * Runs one of our programs at low priority (nice(1), ionice(1)), as the first that the kernel kills if memory runs out. Its output goes to
 * our log, its errors only while this keeper lives. Returns null, or why it failed: the last reason that it printed, otherwise how it
 * ended. Never rejects.
 * A killed process may wait for a disk that does not answer (state D of ps(1)): `limit.passed` does not wait for its end, but the promise
 * does, so that no other is started beside it.
 */
export async function runBehind(
  { node, program }: Pick<Layout, "node" | "program">,
  name: "backup" | "check" | "report",
  args: readonly string[] = [],
  limit: RunLimit | null = null,
): Promise<string | null> {
  const ours = [node, ...NODE_FLAGS.split(" "), join(program, `${name}.js`), ...args];
  let timer: NodeJS.Timeout | undefined;
  try {
    const argv = ["-n", "10", "ionice", "-c", "3", ...ours];
    const child = withPipes(spawn("nice", argv, { stdio: ["ignore", "inherit", "pipe"] }));
    const closed: Promise<readonly unknown[]> = once(child, "close");
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      process.stderr.write(text);
      output = (output + text).slice(-OUTPUT_CHARACTERS);
    });
    if (child.pid !== undefined) raiseOomScore(child.pid);
    const end = ({ ms, passed }: RunLimit): void => {
      child.kill("SIGKILL");
      passed(`it did not finish within ${span(ms)}`);
    };
    if (limit !== null) timer = setTimeout(end, limit.ms, limit);
    const [code, signal] = await closed;
    if (code === 0) return null;
    if (typeof signal === "string") return `it was ended by ${signal}`;
    return reasonIn(output) ?? `it ended with code ${String(code)}`;
  } catch (error) {
    console.error(`keeper: ${name}.js could not be started: ${messageOf(error)}`);
    return messageOf(error);
  } finally {
    clearTimeout(timer);
  }
}

/** The last reason that the program printed, or that Node printed for an uncaught error. */
function reasonIn(output: string): string | null {
  return [...output.matchAll(/^\w+: (.+)$/gm)].at(-1)?.[1] ?? null;
}

/**
 * Makes a process and its children the first that the kernel kills if memory runs out: adds to their memory score, in thousandths of
 * all memory (proc(5)).
 */
export function raiseOomScore(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, "800");
  } catch {
    // It has ended, or a container has set a higher score, which stays.
  }
}

/** When a nightly hour last started, in the machine's time zone (ms). A day may have 23 or 25 hours. */
export function lastNight(hour: number, now: number): number {
  const at = atHour(hour, now, 0);
  return at <= now ? at : atHour(hour, now, -1);
}

/** When it starts next (ms). */
export function nextNight(hour: number, now: number): number {
  const at = atHour(hour, now, 0);
  return at > now ? at : atHour(hour, now, 1);
}

/**
 * Whether the last nightly hour has passed without a run. A failed run is retried after an hour: soon enough for the same night, but
 * seldom enough not to load the machine.
 */
export function isNightDue(record: Outcomes & Readonly<{ since: number }>, hour: number, now: number): boolean {
  const { since, last, failure } = record;
  const dueAt = lastNight(hour, now);
  // A run with a future time was made, or failed, while the clock was ahead.
  const doneAt = [since, last?.at ?? 0].filter((at) => at <= now);
  if (Math.max(0, ...doneAt) >= dueAt) return false;
  return failure === null || failure.at < dueAt || failure.at > now || now - failure.at >= HOUR_MS;
}

/** Sets the day before the hour, because an hour that is skipped on one day exists on the other. */
function atHour(hour: number, now: number, days: number): number {
  const at = new Date(now);
  at.setDate(at.getDate() + days);
  at.setHours(hour, 0, 0, 0);
  return at.getTime();
}

export type JobFailure = Readonly<{ at: number; reason: string }>;

/** A record of the last success, and of a failure after it. */
type Outcomes = Readonly<{ last: Readonly<{ at: number }> | null; failure: JobFailure | null }>;

/**
 * Adds a failure that the record could not store, unless the record has something later. Without that, a full disk would hide the
 * failure, and the task would start again at each check.
 */
export function withUnnoted<Noted extends Outcomes>(record: Noted, unnoted: JobFailure | null): Noted {
  const notedAt = Math.max(record.last?.at ?? 0, record.failure?.at ?? 0);
  return unnoted === null || notedAt >= unnoted.at ? record : { ...record, failure: unnoted };
}
