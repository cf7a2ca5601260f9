import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { endProgram, mustRun } from "../test/lab/commands.ts";
import type { ApiPlan, Asked } from "./api-load.ts";
import { type LoadPlan, type LoadResult, WHOLE_MAILS } from "./policy-request.ts";

const STOP_MS = 10_000;

/** A program that runs beside the benchmark. Its output is kept in case it fails. */
export class Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #name: string;
  /** The end of its output. */
  output = "";

  constructor(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [program = "", ...rest] = argv;
    this.#name = argv.join(" ");
    this.process = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream.on("data", (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-4_000)));
    this.process.stdin.on("error", () => {});
    this.process.on("error", (error) => (this.output += error.message));
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`${this.#name} could not be started`);
    return pid;
  }

  /** Throws if it has ended. */
  mustRun(): void {
    if (this.process.exitCode !== null || this.process.signalCode !== null)
      throw new Error(`${this.#name} ended: ${this.output}`);
  }

  async stop(): Promise<void> {
    const deadline = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS);
    await endProgram(this.process);
    clearTimeout(deadline);
  }
}

/** If there are two cores, server and load never share one. */
export const SERVER_CPU = "0";
export const LOAD_CPU = String(availableParallelism() > 1 ? availableParallelism() - 1 : 0);

/** Gives all measured programs the same priority above everything else on the machine, which must not decide who is faster. */
const PRIORITY = ["nice", "-n", "-10"];

const AUTOGROUP = "/proc/self/autogroup";

/** Raises the priority of this session. If the kernel groups processes by session (sched(7), autogroup), `nice` counts only within one. */
export function goFirst(): void {
  if (existsSync(AUTOGROUP)) writeFileSync(AUTOGROUP, "-10");
}

export function pinned(cpu: string, argv: readonly string[]): readonly string[] {
  return ["taskset", "-c", cpu, ...PRIORITY, ...argv];
}

const DEADLINE_MS = 60_000;

/** A program that answers on its standard output, line by line. */
export class Lines extends Child {
  readonly #lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();

  write(value: unknown): void {
    this.process.stdin.write(`${JSON.stringify(value)}\n`);
  }

  async next(): Promise<string> {
    const late = pause(DEADLINE_MS, { done: true } as const, { ref: false });
    const line = await Promise.race([this.#lines.next(), late]);
    if (line.done !== true) return line.value;
    throw new Error(`it ended, or gave no answer within ${DEADLINE_MS} ms: ${this.output}`);
  }
}

type Inside = (argv: readonly string[]) => readonly string[];

/** Whole mails, unless the plan says otherwise. */
export async function load(plan: Partial<LoadPlan> & Pick<LoadPlan, "socket">): Promise<LoadResult> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
  return (await run("load.ts", { ...WHOLE_MAILS, ...plan }, (argv) => argv)) as LoadResult;
}

/** Runs in the network of the server that is asked. */
export async function askApi(plan: ApiPlan, inside: Inside): Promise<readonly Asked[]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
  return (await run("api-load.ts", plan, inside)) as readonly Asked[];
}

/** Runs a program in a separate process on a separate core. Returns its output. */
async function run(program: string, plan: LoadPlan | ApiPlan, inside: Inside): Promise<unknown> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const argv = pinned(LOAD_CPU, [process.execPath, "--max-semi-space-size=16", path, JSON.stringify(plan)]);
  return JSON.parse(await mustRun(inside(argv), { deadlineMs: 300_000 })) as unknown;
}
