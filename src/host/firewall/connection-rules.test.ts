import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parsePassed } from "./connection-rules.ts";

test("the counters of the ports are read, and missing ones skipped", () => {
  const counter = (name: string, packets: number): string =>
    `\tcounter ${name} {\n\t\tpackets ${packets} bytes ${packets * 60}\n\t}\n`;
  const listed = `table inet ghostinbox {\n${counter("dropped", 9)}${counter("offered_25", 12)}${counter("arrived_25", 3)}${counter("offered_993", 4)}}\n`;
  assert.deepEqual([...parsePassed(listed, [25, 2525, 993])], [[25, { offered: 12, arrived: 3 }]]);
  fc.assert(fc.property(fc.string(), (text) => assert.equal(parsePassed(text, [25]).size, 0)));
});
