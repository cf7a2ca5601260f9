import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { codeOf, messageOf } from "../../core/error.ts";
import type { Outcome } from "../../guard/ports.ts";
import { NOT_INSTALLED, runProgram, withPipes } from "../machine/run-program.ts";

/** Where administration tools are. The PATH of a daemon may lack sbin. */
export const TOOL_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Enough for 50,000 sockets: a line of ss(8) has up to 300 bytes, or 600 with `-i`. More is a failure. */
const TOOL_BYTES = 32_000_000;

/** How long nft(8) may take for a table of ours. */
const NFT_MS = 10_000;

/** HOME does not exist, because nft would keep its history there. Messages are parsed, so they must be in English. */
export function toolEnvironment(path: string = TOOL_PATH): Readonly<Record<string, string>> {
  return { PATH: path, HOME: "/nonexistent", LC_ALL: "C" };
}

type ToolRun = Readonly<{
  /** Where to find the program. */
  path?: string | undefined;
  input?: string | Iterable<string>;
  timeoutMs: number;
}>;

/** Runs `nft` or `ss` to its end. Never throws. */
export function runTool(program: string, args: readonly string[], { path = TOOL_PATH, ...options }: ToolRun) {
  return runProgram(program, args, { env: toolEnvironment(path), mostOutputBytes: TOOL_BYTES, ...options });
}

/** Loads a text in one transaction. */
export async function loadNft(input: string, path?: string): Promise<Outcome> {
  const ran = await runTool("nft", ["-f", "-"], { path, input, timeoutMs: NFT_MS });
  return ran.code === 0 ? { ok: true } : { ok: false, reason: `nft failed: ${causeOf(ran.stderr)}` };
}

/** Finds the cause in the first line of an error. Below it nft quotes the whole command. */
export function causeOf(errors: string): string {
  const line = errors.split("\n").find((text) => text.includes("Error:")) ?? errors.split("\n", 1)[0] ?? "";
  return line.replace(/^.*Error: /, "").trim();
}

/** The listing of a table by nft; empty if there is none. Null if it cannot be read. */
export async function listTable(table: string): Promise<string | null> {
  const ran = await runTool("nft", ["list", "table", ...table.split(" ")], { timeoutMs: NFT_MS });
  if (ran.code === 0) return ran.stdout;
  return /No such file or directory/.test(ran.stderr) ? "" : null;
}

/** For `nft -f`: removes a table, if it exists. */
export function removeTable(table: string): string {
  return `add table ${table}\ndelete table ${table}\n`;
}

/** For `nft -f`: a set in a table. `type` includes the flags. */
export function setText(name: string, type: string, elements: readonly (string | number)[]): string {
  const filled = elements.length === 0 ? "" : ` elements = { ${elements.join(", ")} }`;
  return `  set ${name} { type ${type};${filled} }\n`;
}

type Child = ChildProcessByStdio<Writable, null, Readable>;
type PendingAnswer = { readonly mark: string; readonly done: (answer: NftAnswer) => void };
/** `errors` is what nft printed about the line; empty on success. */
type NftAnswer = Readonly<{ type: "answered"; errors: string }> | Readonly<{ type: "lost"; why: string }>;

/** A new child from time to time bounds nft's memory, because it keeps every line as history, in about twice the line's length. */
const CHARACTERS_PER_CHILD = 1024 * 1024;
const ANSWER_MS = 5_000;
const STDERR_CHARACTERS = 1024 * 1024;

/**
 * One long-lived `nft -i`. A successful command prints nothing, so each line is followed by a word that is not a
 * command. nft's complaint quotes that word and thereby shows that the line before it is done. All errors go to stderr, in order.
 */
export class NftSession {
  readonly #path: string | undefined;
  #child: Child | null = null;
  #pending: PendingAnswer | null = null;
  #text = "";
  #lines = 0;
  /** Characters sent to this child so far. */
  #characters = 0;

  constructor(path?: string) {
    this.#path = path;
  }

  /** Runs one line. The caller waits for the answer before it sends the next. */
  async run(line: string): Promise<NftAnswer> {
    if (this.#pending !== null) throw new Error("the nft session was used twice at once");
    if (this.#characters >= CHARACTERS_PER_CHILD) await this.close();
    let child: Child;
    try {
      child = this.#child ??= this.#spawn();
    } catch (error) {
      return { type: "lost", why: messageOf(error) };
    }
    this.#lines += 1;
    this.#characters += line.length;
    const mark = `done_${this.#lines}`;
    this.#text = "";
    const answer = new Promise<NftAnswer>((resolve) => {
      this.#pending = { mark, done: resolve };
    });
    const deadline = setTimeout(() => this.#killChild(child, "nft did not answer in time"), ANSWER_MS);
    child.stdin.write(`${line}\n${mark}\n`);
    try {
      return await answer;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Ends the child. The next line starts a new one. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#forgetChild("nft was closed");
    const ended = once(child, "close").catch(() => undefined);
    child.stdin.end();
    const deadline = setTimeout(() => child.kill("SIGKILL"), ANSWER_MS);
    await ended;
    clearTimeout(deadline);
  }

  #spawn(): Child {
    const env = toolEnvironment(this.#path);
    const child = withPipes(spawn("nft", ["-i"], { env, stdio: ["pipe", "ignore", "pipe"] }));
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => {
      if (this.#child === child) this.#read(text);
    });
    child.stdin.on("error", () => this.#killChild(child, "nft ended"));
    child.on("error", (error) => this.#killChild(child, codeOf(error) === "ENOENT" ? NOT_INSTALLED : error.message));
    child.on("close", () => this.#killChild(child, "nft ended"));
    return child;
  }

  #read(text: string): void {
    if (this.#text.length < STDERR_CHARACTERS) this.#text += text;
    else this.#text = this.#text.slice(-1024) + text;
    const pending = this.#pending;
    if (pending === null) return;
    const at = this.#text.indexOf(`\n${pending.mark}\n`);
    if (at < 0) return;
    this.#pending = null;
    pending.done({ type: "answered", errors: errorsBeforeMark(this.#text.slice(0, at)) });
  }

  #killChild(child: Child, why: string): void {
    if (this.#child !== child) return;
    child.kill("SIGKILL");
    this.#forgetChild(why);
  }

  #forgetChild(why: string): void {
    this.#child = null;
    this.#lines = 0;
    this.#characters = 0;
    const pending = this.#pending;
    this.#pending = null;
    pending?.done({ type: "lost", why: this.#text.includes("Operation not permitted") ? this.#text : why });
  }
}

/**
 * The output before the mark, without its last line (the complaint about the mark itself) and without nft's lines of carets,
 * which may belong to the previous mark.
 */
function errorsBeforeMark(text: string): string {
  const lines = text.split("\n").slice(0, -1);
  return lines.filter((line) => /[^\s^~-]/.test(line)).join("\n");
}
