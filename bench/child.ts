import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { processorSecondsOf } from "../test/lab/component-memory.ts";

const STOP_MS = 10_000;

/** A program that runs beside the benchmark. Whatever it prints is kept for the case that it fails. */
export class Child {
  readonly process: ChildProcess;
  readonly #name: string;
  #output = "";

  constructor(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [program = "", ...rest] = argv;
    this.#name = argv.join(" ");
    this.process = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on("data", (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-4_000)));
    this.process.stdin?.on("error", () => {});
    this.process.on("error", (error) => (this.#output += error.message));
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`${this.#name} could not be started`);
    return pid;
  }

  get output(): string {
    return this.#output;
  }

  /** Throws if it has ended. */
  mustRun(): void {
    if (this.process.exitCode !== null || this.process.signalCode !== null)
      throw new Error(`${this.#name} ended: ${this.#output}`);
  }

  /** Processor time it has used. Seconds. */
  cpuSeconds(): number {
    return processorSecondsOf(this.pid);
  }

  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, "exit");
    this.process.kill(signal);
    const deadline = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(deadline);
  }
}
