import { existsSync, statSync } from "node:fs";
import * as z from "zod/mini";
import type { LogPosition } from "../../core/decide/decision.ts";
import { appendFile, createFile, truncateFile, writeFile } from "../../host/root-files/files.ts";
import { readRecord } from "../../host/root-files/record-file.ts";
import type { Layout } from "../../settings/layout.ts";
import { LogFollower, WRITERS_CHANGE_OVER_MS } from "./log-follower.ts";
import { parseMailLine } from "./log-line.ts";

/** How far mail.log is split, and how long each part was then. After a kill, anything beyond that is cut off. */
const state = z.object({
  position: z.object({ inode: z.string(), offset: z.int() }),
  warnBytes: z.int(),
  errBytes: z.int(),
});
type State = Readonly<z.output<typeof state>>;

const BEGINNING: State = { position: { inode: "", offset: 0 }, warnBytes: 0, errBytes: 0 };

/**
 * Writes mail.warn (warnings and errors) and mail.err (errors) from mail.log, as syslog does. Each line is written once:
 * after a kill, the parts are brought in line with the position.
 */
export class LogSplitter {
  readonly #layout: Layout;
  readonly #stateFile: string;
  readonly #follower: LogFollower;
  #state: State;

  constructor(layout: Layout, failed: (why: string) => void) {
    this.#layout = layout;
    this.#stateFile = `${layout.mailLog}.split`;
    this.#state = readRecord(this.#stateFile, state, BEGINNING);
    this.#follower = new LogFollower({
      file: layout.mailLog,
      from: this.#state.position,
      take: (lines, position) => Promise.resolve(this.#take(lines, position)),
      failed,
      lingerMs: WRITERS_CHANGE_OVER_MS,
    });
  }

  start(): void {
    this.#repair();
    this.#follower.start();
  }

  stop(): Promise<void> {
    return this.#follower.stop();
  }

  /** The parts were rotated in between: new lines start new files. */
  partsChanged(): void {
    this.#repair();
    this.#keep(this.#state);
  }

  #take(lines: readonly string[], position: LogPosition): boolean {
    const { mailWarn, mailErr } = this.#layout;
    const parsed = lines.map((line) => ({ line, severity: parseMailLine(line)?.severity ?? "info" }));
    const texts = [
      [mailWarn, parsed.filter(({ severity }) => severity !== "info")],
      [mailErr, parsed.filter(({ severity }) => severity === "error")],
    ] as const;
    for (const [file, found] of texts)
      if (found.length > 0) appendFile(file, found.map(({ line }) => `${line}\n`).join(""));
    this.#keep({ position, warnBytes: sizeOf(mailWarn), errBytes: sizeOf(mailErr) });
    return true;
  }

  /** Lines beyond the stored position are written again; missing ones were removed by another program. */
  #repair(): void {
    const { mailWarn, mailErr, mailLog } = this.#layout;
    const { warnBytes, errBytes, position } = this.#state;
    for (const [file, bytes] of [
      [mailWarn, warnBytes],
      [mailErr, errBytes],
    ] as const) {
      makeLike(mailLog, file);
      if (sizeOf(file) > bytes) truncateFile(file, bytes);
    }
    this.#state = { position, warnBytes: sizeOf(mailWarn), errBytes: sizeOf(mailErr) };
  }

  #keep(state: State): void {
    writeFile(this.#stateFile, JSON.stringify(state), { mode: 0o600, flush: false });
    this.#state = state;
  }
}

/** Creates an empty file with the same owner, group and mode as another, if it is missing and the other exists. */
export function makeLike(model: string, file: string): void {
  if (existsSync(file) || !existsSync(model)) return;
  const { uid, gid, mode } = statSync(model);
  createFile(file, "", { mode: mode & 0o777, owner: { uid, gid } });
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
