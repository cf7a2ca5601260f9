import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { Framer } from "../../admin/declare/framing.ts";
import { messageOf } from "../../core/error.ts";
import { oneAfterAnother } from "../../core/one-after-another.ts";
import { withPipes } from "../../host/machine/run-program.ts";
import { type Order, READY, type Result } from "./work.ts";

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const RESTART_MS = { first: 1_000, most: 60_000 };
/** A disk may be slow. A process that is silent for this long hangs for another reason. */
const ANSWER_MS = 60_000;
/** The longest answer, with five thousand stale entries and as many guesses, takes a third of it. */
const ANSWER_BYTES = 4 * 1024 * 1024;
const STOP_MS = 1_000;
const MOST_OUTPUT = 300;

export type MaintenanceOptions = Readonly<{
  argv: readonly string[];
  /** Called with the reason and last output if the process exits unexpectedly, and with null once it runs again. */
  down: (why: string | null) => void;
}>;

/** The maintenance process, restarted whenever it ends. */
export class MaintenanceProcess {
  readonly #options: MaintenanceOptions;
  #child: Child | null = null;
  #waiting: ((line: string | null) => void) | null = null;
  readonly #inTurn = oneAfterAnother();
  #restart: NodeJS.Timeout | null = null;
  #restartMs = RESTART_MS.first;
  #output = "";
  #stopped = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#restart = null;
    const [program = "", ...args] = this.#options.argv;
    let child: Child;
    try {
      child = withPipes(spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] }));
    } catch (error) {
      return this.#ended(null, messageOf(error));
    }
    this.#child = child;
    this.#output = "";
    child.on("error", (error) => this.#ended(child, error.message));
    const framer = new Framer(ANSWER_BYTES);
    const take = (line: string): void => (line === READY ? this.#ready() : this.#settle(line));
    child.stdout.on("data", (chunk: Buffer) => {
      if (!framer.push(chunk, take)) child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#output = (this.#output + text).slice(-MOST_OUTPUT);
    });
    child.stdin.on("error", () => undefined);
    child.on("close", (code, signal) =>
      this.#ended(child, `${signal ?? `code ${code}`} ${this.#output.trim()}`.trim()),
    );
  }

  /** Runs one order at a time. Resolves with null if the order cannot be carried out now. */
  ask<O extends Order>(order: O): Promise<Result<O> | null> {
    const answer = this.#inTurn(() => this.#send(JSON.stringify(order)));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the process that this one started wrote it
    return answer.then((line) => (line === null ? null : (JSON.parse(line) as Result<O> | null)));
  }

  /** Ends the process after its current order, or kills it after a second, so that the guard does not wait for a slow disk. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    const child = this.#child;
    if (child === null) return;
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    child.stdin.end();
    const deadline = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await closed;
    clearTimeout(deadline);
  }

  #send(order: string): Promise<string | null> {
    const child = this.#child;
    if (child === null) return Promise.resolve(null);
    return new Promise((resolve) => {
      const hung = setTimeout(() => child.kill("SIGKILL"), ANSWER_MS);
      this.#waiting = (line) => {
        clearTimeout(hung);
        resolve(line);
      };
      child.stdin.write(`${order}\n`);
    });
  }

  #ready(): void {
    this.#restartMs = RESTART_MS.first;
    this.#options.down(null);
  }

  /** `child` is null if it could not be started. */
  #ended(child: Child | null, why: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#settle(null);
    if (this.#stopped) return;
    this.#options.down(why);
    this.#restart = setTimeout(() => this.start(), this.#restartMs);
    this.#restartMs = Math.min(2 * this.#restartMs, RESTART_MS.most);
  }

  #settle(line: string | null): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.(line);
  }
}
