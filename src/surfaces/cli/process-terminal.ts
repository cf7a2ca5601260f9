import { fstatSync, fsyncSync, writeFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline/promises";
import { Writable } from "node:stream";
import { codeOf, messageOf } from "../../core/error.ts";
import type { Outcome } from "../../guard/ports.ts";
import { oneLine } from "./print/text.ts";

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Moves to the start of the line and clears it (ECMA-48, EL). */
const CLEAR_LINE = "\r\x1b[K";
const NARROWEST = 40;
/** Width for a terminal that reports 0. */
const USUAL = 80;

/** Output and questions of a command. Results go to standard output, everything else to standard error. */
export function createProcessTerminal() {
  let interruption: AbortSignal | undefined;
  const leave = (error: Error): never => {
    // The reader wanted only the first lines (`| head`). If the command has ended, its exit code is already set.
    if (codeOf(error) === "EPIPE") process.exit();
    const what = `The output could not be written: ${oneLine(messageOf(error))}. What the command changed stays changed.`;
    process.stderr.write(`${what}\n`);
    process.exit(1);
  };
  const ignore = (): void => undefined;
  process.stdout.on("error", leave).on("error", ignore);
  // A command continues even if no one reads its messages.
  process.stderr.on("error", ignore);
  let hasProgress = false;
  const clear = (): void => {
    if (hasProgress) process.stderr.write(CLEAR_LINE);
    hasProgress = false;
  };
  const write = (stream: NodeJS.WriteStream, text: string): void => {
    clear();
    stream.write(lines(text));
  };
  return {
    /** Whether standard input and standard error are terminals, so that questions can be asked. */
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    /** Whether standard input is a terminal, which echoes what `readLine` reads. */
    inputIsTerminal: process.stdin.isTTY,
    /** Columns of the terminal that gets the results; null if they go elsewhere. */
    width: process.stdout.isTTY ? Math.max(process.stdout.columns || USUAL, NARROWEST) : null,
    out: (text: string) => write(process.stdout, text),
    /** For output that cannot be shown twice: waits until all of it is written and, in a file, flushed to the disk. */
    outForGood: async (text: string): Promise<Outcome> => {
      clear();
      // After the callback of the write, the stream also emits the error.
      process.stdout.off("error", leave);
      try {
        await writeForGood(lines(text));
        process.stdout.on("error", leave);
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: messageOf(error) };
      }
    },
    err: (text: string) => write(process.stderr, text),
    /** Shows the progress of long work in one line of a terminal, which the next text replaces; prints nothing elsewhere. */
    progress: (text: string) => {
      if (!process.stderr.isTTY) return;
      process.stderr.write(`${CLEAR_LINE}${oneLine(text)} `);
      hasProgress = true;
    },
    readLine,
    /** Asks without echo; null if interrupted. */
    askSecret: (question: string) => {
      clear();
      return askSecret(question);
    },
    /** Asks with echo; null if interrupted. */
    ask: (question: string) => {
      clear();
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      return answerTo(oneLine(question), lines, interruption);
    },
    /** Aborted by Ctrl-C, TERM, or when the terminal closes. Commands that do not read this exit on these signals, as programs do. */
    get interrupted() {
      return (interruption ??= firstEnding());
    },
  };
}

function firstEnding(): AbortSignal {
  const ending = new AbortController();
  for (const signal of ENDING) process.once(signal, () => ending.abort());
  return ending.signal;
}

function lines(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** Retries partial writes and flushes: a full disk may accept part of a text (write(2)), or report the error at the flush (fsync(2)). */
async function writeForGood(text: string): Promise<void> {
  const { stdout } = process;
  const kind = fstatSync(stdout.fd);
  if (kind.isFIFO() || kind.isSocket() || stdout.isTTY) {
    await new Promise<void>((resolve, reject) => {
      stdout.write(text, (error) => (error instanceof Error ? reject(error) : resolve()));
    });
    return;
  }
  writeFileSync(stdout.fd, text);
  if (kind.isFile()) fsyncSync(stdout.fd);
}

/** The first line of standard input without its end; null if there is none within `mostBytes`. */
async function readLine(mostBytes: number): Promise<string | null> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    bytes = Buffer.concat([bytes, Buffer.from(chunk)]);
    if (bytes.includes(10)) break;
    if (bytes.length > mostBytes) return null;
  }
  const end = bytes.indexOf(10);
  const line = (end < 0 ? bytes : bytes.subarray(0, end)).toString().replace(/\r$/, "");
  return line === "" || Buffer.byteLength(line) > mostBytes ? null : line;
}

/** Shows only the question, not what readline echoes. */
async function askSecret(question: string): Promise<string | null> {
  const output = new Writable({ write: (_text, _encoding, discarded) => discarded() });
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
  process.stderr.write(question);
  const pasted: string[] = [];
  lines.on("line", (line) => pasted.push(`${line}\r`));
  const answer = await answerTo("", lines);
  // If both passwords were pasted at once, the second one answers the next question.
  const unread = pasted.join("") + lines.line;
  if (answer !== null && unread !== "") process.stdin.unshift(unread);
  process.stderr.write("\n");
  return answer;
}

/** Null after a signal, Ctrl-C or Ctrl-D. After the answer, signals end the program again. */
async function answerTo(question: string, lines: Interface, interrupted?: AbortSignal): Promise<string | null> {
  const over = new AbortController();
  const end = (): void => over.abort();
  // Continues after Ctrl-Z and `fg`.
  lines.on("SIGCONT", () => lines.resume());
  for (const signal of ENDING) process.once(signal, end);
  const signal = AbortSignal.any([over.signal, ...(interrupted ? [interrupted] : [])]);
  try {
    return await lines.question(question, { signal });
  } catch {
    return null;
  } finally {
    for (const signal of ENDING) process.off(signal, end);
    lines.close();
  }
}
