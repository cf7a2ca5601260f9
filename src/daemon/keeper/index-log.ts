import { closeSync, existsSync, fstatSync, readdirSync, readSync, type Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import {
  BLOCK_BYTES,
  blockOf,
  cutBlocks,
  encodeIndex,
  endOf,
  type IndexedBlock,
  indexName,
  LONGEST_BLOCK_BYTES,
  MOST_INDEX_BYTES,
  openIfThere,
  readIndex,
} from "../../adapters/logs/log-index.ts";
import { appendFile, removeFile, truncateFile, writeFile } from "../../adapters/root-files/files.ts";
import { SECOND_MS } from "../../core/time.ts";

/** Only root searches the logs. */
const MODE = 0o600;
/** Programs that share a log do not switch to a new one at the same moment. */
const SILENT_MS = 10 * SECOND_MS;

/** Keeps the index of mail.log and of its rotated files, with which `ghostinbox logs --ip` finds an address. */
export class LogIndexer {
  /** Each log's state when it was indexed. */
  readonly #seen = new Map<string, Stats>();

  /** Indexes new lines of the logs. */
  async look(current: string, elder: readonly string[], now: number): Promise<void> {
    for (const path of elder.filter((name) => !name.endsWith(".gz"))) await this.#index(path, true, now);
    await this.#index(current, false, now);
    removeOrphans(current);
    for (const path of this.#seen.keys()) if (path !== current && !elder.includes(path)) this.#seen.delete(path);
  }

  async #index(path: string, isFinished: boolean, now: number): Promise<void> {
    const fd = openIfThere(path);
    if (fd === null) return;
    try {
      const stat = fstatSync(fd);
      const seen = this.#seen.get(path);
      const isSame = seen?.ino === stat.ino && existsSync(indexName(path));
      if (isSame && (isFinished ? seen.mtimeMs === stat.mtimeMs : hasNoNewBlock(seen, stat))) return;
      if (isFinished && Math.abs(now - stat.mtimeMs) < SILENT_MS) return;
      await indexLog(path, fd, isFinished);
      this.#seen.set(path, stat);
    } finally {
      closeSync(fd);
    }
  }
}

function hasNoNewBlock(before: Stats, after: Stats): boolean {
  return after.size >= before.size && after.size - before.size < BLOCK_BYTES;
}

/** Continues its index, or creates it if it is missing or does not match the contents. */
async function indexLog(path: string, fd: number, isFinished: boolean): Promise<void> {
  const index = indexName(path);
  const known = readIndex(path, fd, isFinished);
  if (known === null) writeFile(index, encodeIndex([], "whole"), { mode: MODE, flush: false });
  else truncateFile(index, known.bytes);
  const last = known?.blocks.at(-1);
  let [from, bytes] = [last === undefined ? 0 : endOf(last), known?.bytes ?? 0];
  const buffer = Buffer.allocUnsafe(LONGEST_BLOCK_BYTES);
  while (bytes < MOST_INDEX_BYTES) {
    const text = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, from));
    const [blocks] = cutBlocks(text, isFinished && text.length < buffer.length);
    // Nothing more, or a line that is too long.
    if (blocks.length === 0) return;
    const found: IndexedBlock[] = [];
    for (const block of blocks) {
      found.push(blockOf(block, from));
      from += block.length;
      // The keeper must also do other work.
      await turn();
    }
    const encoded = encodeIndex(found, "continued");
    appendFile(index, encoded);
    bytes += encoded.length;
  }
}

export function writeIndex(log: string, blocks: readonly IndexedBlock[]): void {
  writeFile(indexName(log), encodeIndex(blocks, "whole"), { mode: MODE });
}

/** Removes each index whose log is gone. */
function removeOrphans(current: string): void {
  const folder = dirname(current);
  const files = readdirSync(folder).filter((file) => file.startsWith(basename(current)));
  const expected = new Set(files.map(indexName));
  for (const file of files) if (file.endsWith(indexName("")) && !expected.has(file)) removeFile(join(folder, file));
}
