import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import {
  ascending,
  decimal,
  duration,
  flag,
  formatSize,
  type Kind,
  listOf,
  oneOf,
  orEmpty,
  parseSize,
  port,
  size,
  wholeNumber,
} from "./kind.ts";
import { domain, network } from "./texts.ts";

type Case = readonly [what: string, kind: Kind<unknown>, right: readonly unknown[], wrong: readonly unknown[]];
const kinds: readonly Case[] = [
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

test("an environment variable gives the value that TOML would give; nonsense stays text and is refused", () => {
  assert.deepEqual([wholeNumber(0, 9).fromText("7"), wholeNumber(0, 9).fromText("7x")], [7, "7x"]);
  assert.deepEqual([decimal(0, 9).fromText("0.5"), decimal(0, 9).fromText(".5")], [0.5, ".5"]);
  assert.deepEqual(["true", "false", "yes"].map(flag.fromText), [true, false, "yes"]);
});

test("sizes are powers of 1,024", () => {
  assert.deepEqual(["10MB", " 512kb ", "2GB", "7B"].map(parseSize), [10_485_760, 524_288, 2_147_483_648, 7]);
});

for (const text of ["", "10", "MB", "-1MB", "1.5MB", "10 MB", "10TB", "1000000000000000MB", "999999999GB"])
  test(`no size: ${JSON.stringify(text)}`, () => assert.equal(parseSize(text), null));

test("a printed size parses to itself", () => {
  fc.assert(
    fc.property(fc.nat(999_999_999), fc.constantFrom("B", "KB", "MB"), (amount, unit) => {
      const sizeBytes = parseSize(`${amount}${unit}`);
      assert.notEqual(sizeBytes, null);
      assert.equal(parseSize(formatSize(sizeBytes ?? -1)), sizeBytes);
    }),
  );
});

test("a list holds each item once, in the order written and in its canonical spelling", () => {
  const networks = listOf(network, 3);
  assert.deepEqual(networks.read(["2001:DB8::/32", "203.0.113.7", "203.0.113.7/32"]), {
    ok: true,
    value: ["2001:db8::/32", "203.0.113.7/32"],
    toml: '["2001:db8::/32", "203.0.113.7/32"]',
  });
  const must = "has an item that must be an IP address or a network such as 203.0.113.0/24";
  assert.deepEqual(networks.read(["192.0.2.0/24", "x"]), { ok: false, must, got: "x" });
  const four = ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"];
  assert.deepEqual(networks.read(four), { ok: false, must: "must have at most 3 items", got: 4 });
  assert.equal(networks.read("192.0.2.0/24").ok, false);
});

test("in the environment, commas separate items, and [] is the empty list", () => {
  const numbers = listOf(wholeNumber(0, 9), 9);
  assert.deepEqual(numbers.fromText(" 1, 2,,x "), [1, 2, "x"]);
  assert.deepEqual(numbers.fromText(" [] "), []);
});

test("steps that do not rise, or none at all, are refused", () => {
  const ladder = ascending(duration(1_000), 5);
  assert.ok(ladder.read(["30m", "2h", "24h"]).ok);
  for (const wrong of [[], ["2h", "30m"], ["30m", "30m"], ["1h", "60m"], ["30m", "2h", "2h"], "30m"])
    assert.equal(ladder.read(wrong).ok, false, String(wrong));
});

test("an optional text is empty or valid", () => {
  const kind = orEmpty(domain);
  assert.equal(kind.accepts, 'a domain such as example.org, or ""');
  assert.deepEqual(kind.read(""), { ok: true, value: "", toml: '""' });
  assert.deepEqual(kind.read("Example.ORG"), { ok: true, value: "example.org", toml: '"example.org"' });
  assert.equal(kind.read(" - ").ok, false);
});
