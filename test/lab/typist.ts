import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { patience } from "../kit/patience.ts";
import { promptly, until } from "./wait.ts";

/** Characters. */
const SHOWN = 2_000;

/** A user at a terminal: script(1) gives the program a separate terminal. */
export class Typist {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  #output = "";

  /** `within`: the command prefix that enters the machine. */
  constructor(within: (argv: readonly string[]) => readonly string[], command: string) {
    const [program = "", ...argv] = within(["script", "--quiet", "--return", "--command", command, "/dev/null"]);
    const child = spawn(program, argv, { stdio: ["pipe", "pipe", "inherit"] });
    child.stdout.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child = child;
    this.#ended = once(child, "close").then(([code]) => Number(code));
  }

  /** Everything that the terminal has shown, without carriage returns. */
  get output(): string {
    return this.#output.replaceAll("\r", "");
  }

  async sees(pattern: RegExp, deadlineMs?: number): Promise<void> {
    await this.until(`the terminal shows ${String(pattern)}`, () => pattern.test(this.output), deadlineMs);
  }

  /** Like `until` of wait.ts, but the error has the terminal's last output. */
  async until(what: string, isSo: () => boolean | Promise<boolean>, deadlineMs?: number): Promise<void> {
    const condition = async (): Promise<true> => {
      if (await isSo()) return true;
      throw new Error(this.output.slice(-SHOWN));
    };
    await until(what, condition, deadlineMs, promptly);
  }

  /** Types a line and Enter, or raw keys such as Ctrl-C. */
  types(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Closes the terminal, as a lost connection of ssh does: the kernel hangs up on the command. */
  async hangsUp(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** The exit code of the command. */
  async ends(deadlineMs = 30_000): Promise<number> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), patience(deadlineMs));
    return this.#ended.finally(() => clearTimeout(timer));
  }
}
