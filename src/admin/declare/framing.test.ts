import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Framer, POLICY_REQUEST_BYTES } from "./framing.ts";

function frames(framer: Framer, chunks: readonly (string | Buffer)[]): { taken: string[]; ok: boolean } {
  const taken: string[] = [];
  const ok = chunks.every((chunk) => framer.push(Buffer.from(chunk), (frame) => taken.push(frame)));
  return { taken, ok };
}

test("a frame at the bound passes; one byte more does not, with or without a terminator", () => {
  const most = "x".repeat(POLICY_REQUEST_BYTES);
  assert.deepEqual(frames(new Framer(POLICY_REQUEST_BYTES, "\n\n"), [`${most}\n\n`]), { taken: [most], ok: true });
  assert.deepEqual(frames(new Framer(POLICY_REQUEST_BYTES, "\n\n"), [`${most}x\n\n`]), { taken: [], ok: false });
  assert.deepEqual(frames(new Framer(4), ["abcd", "\n"]), { taken: ["abcd"], ok: true });
  assert.deepEqual(frames(new Framer(4), ["ab", "cde"]), { taken: [], ok: false });
  assert.deepEqual(frames(new Framer(4), ["ok\nabcde"]), { taken: ["ok"], ok: false });
});

test("the frames do not depend on how the stream is split, even within a character", () => {
  const stream = fc
    .array(fc.constantFrom("a", "=", "\n", "\n\n", "ü"), { maxLength: 60 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(stream, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 60 }), (text, sizes) => {
      const bytes = Buffer.from(text);
      const chunks: Buffer[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      for (const end of ["\n\n", "\n"]) {
        const whole = { taken: text.split(end).slice(0, -1), ok: true };
        assert.deepEqual(frames(new Framer(POLICY_REQUEST_BYTES, end), chunks), whole);
      }
    }),
    { seed: 2, numRuns: 2000 },
  );
});
