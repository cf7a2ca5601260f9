import { createInterface } from "node:readline";
import type { Child } from "./child.ts";

const DEADLINE_MS = 60_000;

/** A program that answers on its standard output, line by line. */
export class Lines {
  readonly child: Child;
  readonly #got: string[] = [];
  #wake: (() => void) | null = null;

  constructor(child: Child) {
    this.child = child;
    const { stdout } = child.process;
    if (stdout === null) throw new Error("no standard output");
    createInterface({ input: stdout }).on("line", (line) => {
      this.#got.push(line);
      this.#wake?.();
    });
    child.process.on("exit", () => this.#wake?.());
  }

  write(value: unknown): void {
    this.child.process.stdin?.write(`${JSON.stringify(value)}\n`);
  }

  async next(): Promise<string> {
    const end = performance.now() + DEADLINE_MS;
    for (;;) {
      const line = this.#got.shift();
      if (line !== undefined) return line;
      this.child.mustRun();
      if (performance.now() > end) throw new Error(`no answer within ${DEADLINE_MS} ms: ${this.child.output}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, DEADLINE_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
