import assert from "node:assert/strict";
import { test } from "node:test";
import { ascending, duration, listOf, orEmpty, wholeNumber } from "./kind.ts";
import { domain, network } from "./texts.ts";

test("a list holds each item once, in the order written and in its canonical spelling", () => {
  const networks = listOf(network, 3);
  assert.deepEqual(networks.read(["2001:DB8::/32", "203.0.113.7", "203.0.113.7/32"]), {
    ok: true,
    value: ["2001:db8::/32", "203.0.113.7/32"],
    toml: '["2001:db8::/32", "203.0.113.7/32"]',
  });
  assert.deepEqual(networks.read(["192.0.2.0/24", "x"]), {
    ok: false,
    must: "has an item that must be an IP address or a network such as 203.0.113.0/24",
    got: "x",
  });
  assert.deepEqual(networks.read(["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"]), {
    ok: false,
    must: "must have at most 3 items",
    got: 4,
  });
  assert.equal(networks.read("192.0.2.0/24").ok, false);
});

test("in the environment commas separate items, and a dash stands for the empty list", () => {
  const numbers = listOf(wholeNumber(0, 9), 9);
  assert.deepEqual(numbers.fromText(" 1, 2,,x "), [1, 2, "x"]);
  assert.deepEqual(numbers.fromText(" [] "), []);
});

test("steps that do not rise, or none at all, are refused", () => {
  const ladder = ascending(duration(1_000), 5);
  assert.ok(ladder.read(["30m", "2h", "24h"]).ok);
  for (const wrong of [[], ["2h", "30m"], ["30m", "30m"], ["30m", "2h", "2h"], "30m"])
    assert.equal(ladder.read(wrong).ok, false, String(wrong));
});

test("a text that may be empty is empty, or what it was to be", () => {
  const kind = orEmpty(domain);
  assert.equal(kind.accepts, 'a domain such as example.org, or ""');
  assert.deepEqual(kind.read(""), { ok: true, value: "", toml: '""' });
  assert.deepEqual(kind.read("Example.ORG"), { ok: true, value: "example.org", toml: '"example.org"' });
  assert.equal(kind.read(" - ").ok, false);
});
