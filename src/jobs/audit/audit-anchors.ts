import { existsSync, readFileSync } from "node:fs";
import * as z from "zod/mini";
import type { Anchor } from "../../core/audit/chain.ts";
import { parseAs } from "../../core/parse-as.ts";

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

/** Anchors in the order in which they were made, and the number of invalid lines. */
export type Anchors = Readonly<{ anchors: readonly Anchor[]; unreadable: number }>;

/** Reads a file of anchors: one JSON object a line. Without a file there are none. Throws if it cannot be read. */
export function readAnchors(path: string): Anchors {
  if (!existsSync(path)) return { anchors: [], unreadable: 0 };
  const lines = readFileSync(path, "utf8").split("\n");
  const read = lines.filter((line) => line !== "").map((line) => parseAs(anchorSchema, line));
  const anchors = read.filter((one) => one !== null);
  return { anchors, unreadable: read.length - anchors.length };
}
