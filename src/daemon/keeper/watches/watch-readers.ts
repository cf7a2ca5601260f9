import { statSync } from "node:fs";
import { printable } from "../../../core/text.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { KeeperTrouble } from "../../../wire/control/keeper.ts";
import { listProcesses } from "../../set-up/running/read-processes.ts";

/** Sixteen times the size to which the guard lets it grow without readers. */
const LOG_BYTES = 64 * 1024 * 1024;
/** Checks in a row that find the same process: a query of a second is not reported. */
const LOOKS = 3;
const MOST_NAMED = 3;
const ARGS_CHARACTERS = 100;

/**
 * Names programs that keep `engine.db` open while its write-ahead log grows: frames that a reader may still need stay in the
 * log. Only root sees other users' open files.
 */
export class ReaderWatch {
  readonly #layout: Layout;
  readonly #logBytes: number;
  /** By pid, how many checks in a row have found it, and its command. */
  #seen = new Map<number, Readonly<{ looks: number; command: string }>>();

  constructor(layout: Layout, logBytes: number = LOG_BYTES) {
    this.#layout = layout;
    this.#logBytes = logBytes;
  }

  look(): void {
    const { engineDb, node } = this.#layout;
    const size = statSync(`${engineDb}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    const readers = size < this.#logBytes ? [] : listProcesses().filter((one) => one.exe !== node && isReader(one));
    this.#seen = new Map(
      readers.map(({ pid, args }) => [
        pid,
        { looks: (this.#seen.get(pid)?.looks ?? 0) + 1, command: printable(args.join(" "), ARGS_CHARACTERS) },
      ]),
    );
    function isReader({ used }: Readonly<{ used: () => readonly string[] }>): boolean {
      return used().some((name) => name === engineDb || name === `${engineDb}-wal`);
    }
  }

  troubles(): readonly KeeperTrouble[] {
    const long = [...this.#seen].filter(([, { looks }]) => looks >= LOOKS).slice(0, MOST_NAMED);
    if (long.length === 0) return [];
    return [{ code: "database_reader", detail: long.map(([pid, { command }]) => `pid ${pid}: ${command}`).join("; ") }];
  }
}
