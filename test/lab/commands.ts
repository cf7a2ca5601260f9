import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { patience } from "../kit/patience.ts";

export type Ran = Readonly<{ code: number; stdout: string; stderr: string }>;
export type RunOptions = Readonly<{
  input?: string;
  env?: Readonly<Record<string, string | undefined>>;
  deadlineMs?: number;
}>;

/** Runs a program to its end. It is killed at the deadline (60 s by default), which throws. */
export async function runProgram(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [program = "", ...rest] = argv;
  const { input = "", env = {}, deadlineMs = 60_000 } = options;
  const child = spawn(program, rest, { env: { ...process.env, ...env }, stdio: "pipe" });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program that reads no input closes its end, which is fine.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${argv.join(" ")}: still running after ${deadlineMs} ms\n${text(stdout)}${text(stderr)}`));
    }, patience(deadlineMs));
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 128, stdout: text(stdout), stderr: text(stderr) });
    });
  });
}

/** As above, and throws unless it exits with 0; returns its standard output. */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await runProgram(argv, options);
  if (ran.code !== 0) throw new Error(`${argv.join(" ")}: exit code ${ran.code}\n${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

/** Starts a command as this user, with no other groups. */
export function asUser(user: string, group: string = user): readonly string[] {
  return ["setpriv", "--reuid", user, "--regid", group, "--clear-groups"];
}

export const AS_NOBODY = asUser("nobody", "nogroup");

/** Sends a signal; false if the process has just ended. Signal 0 only tests whether the process exists. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** The running child processes of this one. */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** Does `work` while these processes are stopped. They continue in reverse order. */
export async function whileStopped<T>(pids: readonly number[], work: () => Promise<T>): Promise<T> {
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    return await work();
  } finally {
    for (const pid of pids.toReversed()) process.kill(pid, "SIGCONT");
  }
}

/** Keeps every processor busy with programs that never wait, in a separate session, like another user's programs. */
export async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
  // They end with this process too, such as at Ctrl-C.
  const busy = 'while kill -0 "$PPID"; do :; done';
  const start = () => spawn("sh", ["-c", busy], { stdio: "ignore", detached: true });
  const loops = Array.from({ length: availableParallelism() }, start);
  try {
    return await work();
  } finally {
    for (const loop of loops) loop.kill("SIGKILL");
  }
}

/** Ends a program unless it has ended, and waits until it has. */
export async function endProgram(child: ChildProcess, by: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(by);
  await ended;
}

const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString("utf8");
