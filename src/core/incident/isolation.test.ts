import assert from "node:assert/strict";
import { test } from "node:test";
import { type Isolation, lifted, parseIsolation } from "./incident.ts";

const TEXT = `{"incident":"2026-11-20-anna","since":"2026-11-20T08:00:00.000Z","allow":["198.51.100.65/32"],"ssh":[22],"shut":["receive","sign-in","send"]}`;

function isolation(text = TEXT): Isolation {
  return parseIsolation(text) ?? assert.fail(text);
}

test("what was written is read again", () => {
  assert.equal(JSON.stringify(isolation()), TEXT);
});

for (const [what, text] of [
  ["no JSON", "{"],
  ["another shape", "[]"],
  ["an empty list of closed directions", TEXT.replace(/\["receive.*\]/, "[]")],
  ["no such part", TEXT.replace("receive", "listen")],
  ["no address", TEXT.replace("198.51.100.65/32", "anna")],
  ["no port", TEXT.replace("[22]", "[70000]")],
] as const)
  test(`${what} is refused`, () => assert.equal(parseIsolation(text), null));

test("it is lifted part by part, in any order, and is over with the last", () => {
  const receives = lifted(isolation(), ["receive"]);
  assert.deepEqual(receives?.shut, ["sign-in", "send"]);
  assert.deepEqual(lifted(isolation(), ["send", "receive"])?.shut, ["sign-in"]);
  assert.equal(receives && lifted(receives, ["send", "sign-in", "receive"]), null);
});
