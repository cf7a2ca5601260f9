import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod/mini";
import { bytesBelow } from "../../adapters/root-files/files-below.ts";
import { readRecord, writeRecord } from "../../adapters/root-files/record-file.ts";
import { messageOf } from "../../core/error.ts";
import type { DiskDay, DiskFigures, Unless } from "../../core/report/facts.ts";
import { isoTime, type Millis } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";

/** Days that are kept: enough for a trend over three months. */
const KEPT = 100;

const schema = z.array(
  z.object({ day: z.string(), usedBytes: z.number(), logBytes: z.number(), databaseBytes: z.number() }),
);

/** The disk's present state, with the days that were noted. */
export function diskFigures(layout: Layout): Unless<DiskFigures> {
  try {
    return { known: true, path: layout.data, ...measured(layout), history: readDiskDays(layout) };
  } catch (error) {
    return { known: false, reason: `The disk cannot be asked: ${messageOf(error)}.` };
  }
}

/** Days that cannot be read count as missing. */
export function readDiskDays(layout: Layout): readonly DiskDay[] {
  return readRecord(layout.diskDays, schema, []);
}

/** Notes the day, once. Removes days with a future time. Throws if it cannot be written. */
export function noteDiskDay(layout: Layout, now: Millis): void {
  const day = isoTime(now).slice(0, 10);
  const days = readDiskDays(layout);
  const past = days.filter((one) => one.day < day);
  if (days.at(-1)?.day === day) return;
  const { freeBytes, totalBytes, logBytes, databaseBytes } = measured(layout);
  const today = { day, usedBytes: totalBytes - freeBytes, logBytes, databaseBytes };
  writeRecord(layout.diskDays, [...past, today].slice(-KEPT));
}

function measured(layout: Layout): Omit<DiskFigures, "path" | "history"> {
  const { bavail, blocks, bsize } = statfsSync(layout.data);
  return {
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    logBytes: bytesBelow(layout.log),
    databaseBytes: bytesBelow(dirname(layout.engineDb)) + bytesBelow(dirname(layout.accountsDb)),
  };
}
