import { statSync } from "node:fs";

const OPENED_BY_NAME = ["", "-wal", "-shm", "-journal"];

/** Throws if SQLite would open anything but a regular file: on a pipe it would wait forever. */
export function refusePipes(database: string): void {
  for (const path of OPENED_BY_NAME.map((end) => `${database}${end}`))
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
      throw new Error(`${path} is not a regular file: move it away`);
}
