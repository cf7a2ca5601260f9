import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import { decimal, duration, flag, type Kind, oneOf, port, size, wholeNumber } from "./kind.ts";

const kinds: readonly (readonly [
  what: string,
  kind: Kind<unknown>,
  right: readonly unknown[],
  wrong: readonly unknown[],
])[] = [
  ["a whole number", wholeNumber(-1, 9), [-1, 0, 9], [-2, 10, 1.5, "1", Number.NaN, null]],
  ["a number", decimal(0, 5), [0, 4.5, 5], [-0.1, 5.1, "1", Number.POSITIVE_INFINITY]],
  ["a port", port, [1, 65_535], [0, 65_536]],
  ["a switch", flag, [true, false], ["true", 1]],
  ["one of some words", oneOf("old", "new"), ["old", "new"], ["Old", "", 1]],
  ["a duration", duration(MINUTE_MS, DAY_MS), ["1m", "24h", " 60s "], ["59s", "25h", 60, "soon"]],
  ["a size", size(1_000, 5_000), ["1KB", "5000B"], ["999B", "6KB", 2_000]],
];
for (const [what, kind, right, wrong] of kinds)
  test(`${what} is read within its bounds, and nothing else is`, () => {
    for (const written of right) assert.ok(kind.read(written).ok, String(written));
    for (const written of wrong)
      assert.deepEqual(kind.read(written), { ok: false, must: `must be ${kind.accepts}`, got: written });
  });

test("the canonical text is read as the same value", () => {
  for (const [kind, written] of [
    [duration(1, DAY_MS), "90s"],
    [size(1, 9_000_000), "5000KB"],
    [decimal(0, 9), 5],
    [oneOf("old", "new"), "new"],
  ] as const) {
    const read = kind.read(written);
    assert.ok(read.ok);
    assert.deepEqual(kind.read(JSON.parse(read.toml)), read);
  }
});

test("a variable of the environment gives what TOML would; nonsense stays text, to be refused", () => {
  assert.deepEqual([wholeNumber(0, 9).fromText("7"), wholeNumber(0, 9).fromText("7x")], [7, "7x"]);
  assert.deepEqual([decimal(0, 9).fromText("0.5"), decimal(0, 9).fromText(".5")], [0.5, ".5"]);
  assert.deepEqual(["true", "false", "yes"].map(flag.fromText), [true, false, "yes"]);
});
