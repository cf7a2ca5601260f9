import * as z from "zod/mini";
import type { Anchor } from "../../core/audit/chain.ts";
import { readRecords } from "../../host/root-files/record-file.ts";

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
export const anchorSchema = z.object({
  at: z.string().check(z.regex(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)),
  id: z.int().check(z.nonnegative()),
  hash,
  accepted: z.optional(
    z.object({ reason: z.string(), sum: hash, numbered: z.optional(z.int().check(z.nonnegative())) }),
  ),
  mailed: z.optional(z.literal(true)),
});

/** Reads anchors in the order in which they were made, as `readRecords` does, and the number of invalid lines. */
export function readAnchors(path: string): Readonly<{ anchors: readonly Anchor[]; unreadable: number }> {
  const read = readRecords(path, anchorSchema);
  const anchors = read.filter((one) => one !== null);
  return { anchors, unreadable: read.length - anchors.length };
}
