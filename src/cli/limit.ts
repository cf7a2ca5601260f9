import { type Problem, wrongUsage } from "./call.ts";
import { oneLine } from "./print/text.ts";

const MOST = 10_000;

/** The value of `--limit`: how many `things` are shown at most. */
export function limitFrom(text: string | null, usual: number, things: string): number | Problem {
  if (text === null) return usual;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MOST) return limit;
  return wrongUsage(`"${oneLine(text)}" is not a number of ${things}.`, `Give 1 to ${MOST}.`);
}
