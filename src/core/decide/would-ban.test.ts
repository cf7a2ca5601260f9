import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, NOON } from "../../../test/kit/samples.ts";
import { later, MINUTE_MS } from "../time.ts";
import { wouldReport } from "./jails.ts";

const RULE = { limit: 3, windowMs: 10 * MINUTE_MS };
const at = (text: string, ...minutes: readonly number[]) =>
  minutes.map((minute) => ({ ip: ip(text), at: later(NOON, minute * MINUTE_MS) }));

test("three within the window are reported, in any order; three over a longer time, or fewer, are not", () => {
  const early = [...at("203.0.113.7", 9, 0, 5), ...at("203.0.113.8", 0, 5, 10)];
  const offences = [...early, ...at("203.0.113.9", 1, 40, 45, 49), ...at("203.0.113.10", 1, 1)];
  assert.deepEqual(wouldReport(offences, RULE), [
    { ip: "203.0.113.9", offences: 4, reported: true },
    { ip: "203.0.113.7", offences: 3, reported: true },
    { ip: "203.0.113.8", offences: 3, reported: false },
    { ip: "203.0.113.10", offences: 2, reported: false },
  ]);
});
