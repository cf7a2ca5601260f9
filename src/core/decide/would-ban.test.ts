import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, NOON } from "../../../test/kit/samples.ts";
import { later, MINUTE_MS } from "../time.ts";
import { wouldReport } from "./jails.ts";

const RULE = { limit: 3, windowMs: 10 * MINUTE_MS };
const at = (text: string, ...minutes: readonly number[]) =>
  minutes.map((minute) => ({ ip: ip(text), at: later(NOON, minute * MINUTE_MS) }));

test("three within the window are reported, in any order; three over a longer time are not", () => {
  const offences = [...at("203.0.113.7", 9, 0, 5), ...at("203.0.113.8", 0, 5, 10), ...at("203.0.113.9", 1, 40, 45, 49)];
  assert.deepEqual(wouldReport(offences, RULE), [
    { ip: "203.0.113.9", offences: 4, reported: true },
    { ip: "203.0.113.7", offences: 3, reported: true },
    { ip: "203.0.113.8", offences: 3, reported: false },
  ]);
});

test("fewer than the limit never are", () => {
  assert.deepEqual(wouldReport(at("203.0.113.7", 1, 1), RULE), [{ ip: "203.0.113.7", offences: 2, reported: false }]);
});
