import assert from "node:assert/strict";
import * as fc from "fast-check";

/** Surrogates, the halves of UTF-16's pairs: no character has these numbers. */
const HALVES = { first: 0xd800, count: 0x800 } as const;
const LAST = 0x10ffff;

/** Like fast-check's unit "binary", which lists a million characters first and so costs each process a second of CPU time. */
export const ANY_CHARACTER: fc.Arbitrary<string> = fc.nat(LAST - HALVES.count).map(
  (at) => String.fromCodePoint(at < HALVES.first ? at : at + HALVES.count),
  (text) => {
    const at = typeof text === "string" ? text.codePointAt(0) : undefined;
    assert.ok(at !== undefined && text === String.fromCodePoint(at), "one character");
    if (at < HALVES.first) return at;
    assert.ok(at >= HALVES.first + HALVES.count, "not a surrogate");
    return at - HALVES.count;
  },
);
