import { SECOND_MS } from "../../core/time.ts";
import type { ForeignFile } from "../../settings/layout.ts";
import { readForeign } from "../root-files/files.ts";

/** What users taught the spam filter by moving mail. */
export type Corrections = Readonly<{
  /** Mails moved into Junk, and out of it. */
  missed: number;
  wrong: number;
  /** How many users did so. */
  users: number;
}>;

/** Far more than the maximum size of the list (render/content/learn-spam.ts). */
const MOST_BYTES = 4_000_000;
const LINE = /^(\d{1,12}) (spam|ham) (\S{1,320})$/;

/** Counts corrections between two times, from the list of spamd's user and its older part. Skips invalid lines. */
export function corrections({ foreign }: ForeignFile, from: number, to: number): Corrections {
  const found = [`${foreign}.1`, foreign].flatMap(linesOf).flatMap((line) => {
    const [, seconds, learned, account] = LINE.exec(line) ?? [];
    const at = Number(seconds) * SECOND_MS;
    return account !== undefined && at >= from && at <= to ? [{ learned, account }] : [];
  });
  return {
    missed: found.filter(({ learned }) => learned === "spam").length,
    wrong: found.filter(({ learned }) => learned === "ham").length,
    users: new Set(found.map(({ account }) => account)).size,
  };
}

/** Another user writes there: reads only a regular file of plausible size. */
function linesOf(path: string): readonly string[] {
  return (readForeign({ foreign: path }, MOST_BYTES) ?? "").split("\n");
}
