import assert from "node:assert/strict";
import { test } from "node:test";
import { instant, later, MINUTE_MS } from "../time.ts";
import { freshUntil, PROOF_MS } from "./session.ts";

const T0 = instant(1_800_000_000_000);

test("a proof is fresh for ten minutes, and not before it was given", () => {
  assert.equal(freshUntil(T0, T0), later(T0, 10 * MINUTE_MS));
  assert.equal(freshUntil(T0, later(T0, PROOF_MS - 1)), later(T0, PROOF_MS));
  assert.equal(freshUntil(T0, later(T0, PROOF_MS)), null);
  assert.equal(freshUntil(T0, later(T0, -1)), null);
});
