import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { net } from "../../../test/kit/samples.ts";
import { nftConnections, parsePassed } from "./connection-rules.ts";

test("the guard's findings replace the ones before, and expire", () => {
  const words = {
    watched: [25, 993],
    full: [993],
    refused: [
      { prefix: net("203.0.113.7"), port: 25 },
      { prefix: net("203.0.113.7"), port: 993 },
      { prefix: net("2001:db8:0:1::/64"), port: 25 },
    ],
    known: [net("198.51.100.9"), net("198.51.100.9"), net("2001:db8:0:2::/64")],
  };
  assert.deepEqual(nftConnections("inet t", words, 15).split("\n"), [
    "flush set inet t watched",
    "add element inet t watched { 25 timeout 15s, 993 timeout 15s }",
    "flush set inet t full",
    "add element inet t full { 993 timeout 15s }",
    "flush set inet t refused4",
    "add element inet t refused4 { 203.0.113.7 . 25 timeout 15s, 203.0.113.7 . 993 timeout 15s }",
    "flush set inet t refused6",
    "add element inet t refused6 { 2001:db8:0:1:: . 25 timeout 15s }",
    "flush set inet t known4",
    "add element inet t known4 { 198.51.100.9 timeout 15s }",
    "flush set inet t known6",
    "add element inet t known6 { 2001:db8:0:2:: timeout 15s }",
    "",
  ]);
  assert.doesNotMatch(nftConnections("inet t", { watched: [], full: [], refused: [], known: [] }, 15), /add/);
});

test("the counters of the ports are read, and missing ones skipped", () => {
  const counter = (name: string, packets: number): string =>
    `\tcounter ${name} {\n\t\tpackets ${packets} bytes ${packets * 60}\n\t}\n`;
  const listed = `table inet ghostinbox {\n${counter("dropped", 9)}${counter("offered_25", 12)}${counter("arrived_25", 3)}${counter("offered_993", 4)}}\n`;
  assert.deepEqual([...parsePassed(listed, [25, 2525, 993])], [[25, { offered: 12, arrived: 3 }]]);
  fc.assert(fc.property(fc.string(), (text) => assert.equal(parsePassed(text, [25]).size, 0)));
});
