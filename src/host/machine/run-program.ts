import { type ChildProcess, type ExecFileException, execFile } from "node:child_process";
import { constants } from "node:os";
import { Readable } from "node:stream";
import { messageOf } from "../../core/error.ts";
import { formatBytes } from "../../core/report/figures.ts";
import { SECOND_MS } from "../../core/time.ts";

/**
 * The output of a finished program. `code` is `TIMED_OUT` after a timeout or if it was ended, 125 if its input failed, 127 if it could not
 * be started or printed too much, 128 and the signal's number if it was killed. Without messages `stderr` says how it failed.
 */
export type Finished = Readonly<{ code: number; stdout: string; stderr: string }>;

/** With this code or a higher one, a program has not run to its end. */
export const TIMED_OUT = 124;

export type RunOptions = Readonly<{
  /** Streamed, no faster than the program takes it. If reading throws, the program is killed: code 125. */
  input?: string | Iterable<string> | AsyncIterable<string>;
  /** 0: no limit. */
  timeoutMs?: number;
  /** Printing more than this is a failure. */
  mostOutputBytes?: number;
  /** Kills the program. The call still waits for its end, because it may write until then. */
  signal?: AbortSignal;
  env?: Readonly<Record<string, string>>;
  uid?: number;
  gid?: number;
}>;

const MOST_OUTPUT_BYTES = 1024 * 1024;
const TIMEOUT_MS = 30_000;
export const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The environment of other programs: English messages, and a container's time zone, so that all logs are in the same one. */
export function cleanEnvironment(): Readonly<Record<string, string>> {
  const { TZ } = process.env;
  return { PATH: SYSTEM_PATH, LC_ALL: "C.UTF-8", ...(TZ === undefined ? {} : { TZ }) };
}

/** Runs a program to its end: no shell, a clean environment, English messages, a deadline. Never throws. */
export function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { uid, gid = uid, ...rest } = options;
  if (uid !== undefined)
    return runAsOther([`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--", program, ...args], rest);
  const { input = "", timeoutMs = TIMEOUT_MS, env = {}, mostOutputBytes = MOST_OUTPUT_BYTES, signal } = rest;
  const ended = new Promise<Finished>((resolve) => {
    let inputError: string | null = null;
    const child = execFile(
      program,
      [...args],
      { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: mostOutputBytes, env: { ...cleanEnvironment(), ...env } },
      (error, stdout, stderr) => {
        signal?.removeEventListener("abort", end);
        if (inputError !== null) return resolve({ code: 125, stdout, stderr: inputError });
        if (error === null) return resolve({ code: 0, stdout, stderr });
        const [code, how] = howItFailed(error, { timeoutMs, mostOutputBytes });
        resolve({ code, stdout, stderr: stderr || how });
      },
    );
    const end = (): void => {
      child.kill("SIGKILL");
      // Programs that it has started may hold these pipes too.
      for (const output of [child.stdout, child.stderr]) output?.destroy();
    };
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted === true) end();
    withPipes(child);
    // A program may end without reading its input; its exit code decides.
    child.stdin?.on("error", () => undefined);
    if (child.stdin === null) return;
    if (typeof input === "string") child.stdin.end(input);
    else
      Readable.from(input)
        .on("error", (error) => {
          inputError = messageOf(error);
          child.kill("SIGKILL");
        })
        .pipe(child.stdin);
  });
  return ended.catch((error: unknown) => ({ code: 127, stdout: "", stderr: messageOf(error) }));
}

/**
 * Checks a process that was just started. Throws if no file descriptor was free, because spawn then leaves the pipes undefined, despite
 * its types, and an error event without a listener would end this process. Without memory, spawn itself throws.
 */
export function withPipes<Child extends ChildProcess>(child: Child): Child {
  if ((child.stdio as unknown) !== undefined) return child;
  child.on("error", () => undefined);
  throw new Error("no file descriptor is free (EMFILE)");
}

/**
 * Like `runProgram`, for a program that setpriv(1) runs as another user. It gets no terminal of the caller, with which it could type
 * commands for root's shell (ioctl_tty(2), TIOCSTI): setsid(1) leaves the terminal while root still runs the process. Ctrl-C then no
 * longer reaches the program, so it ends with its caller instead.
 */
export function runAsOther(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return runProgram("setsid", ["setpriv", "--pdeathsig=TERM", ...args], options);
}

export const NOT_INSTALLED = "it is not installed";

type Limits = Readonly<Required<Pick<RunOptions, "timeoutMs" | "mostOutputBytes">>>;

function howItFailed(
  { code, killed, signal, message }: ExecFileException,
  { timeoutMs, mostOutputBytes }: Limits,
): readonly [code: number, how: string] {
  if (killed === true)
    return [TIMED_OUT, timeoutMs === 0 ? "it was ended" : `it took longer than ${timeoutMs / SECOND_MS} s`];
  if (typeof code === "number") return [code, `it ended with code ${code}`];
  if (code === "ENOENT") return [127, NOT_INSTALLED];
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
    return [127, `it printed more than ${formatBytes(mostOutputBytes)}`];
  if (signal === undefined || signal === null) return [127, message];
  const why = signal === "SIGKILL" ? "; the memory may have run out" : "";
  return [128 + constants.signals[signal], `it was killed (${signal})${why}`];
}

/** The last lines of the output, for an error message. */
export function lastLines({ stdout, stderr }: Finished, most = 3): string {
  const lines = `${stderr}\n${stdout}`.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-most).join("; ");
}
