import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { readSpotted } from "./certspotter.ts";

const KEY = "33ac1d9b9e56005ccac045eac2398b3e9dd6b3f5b66ae6260f2d478c7c0d82c8";
const CERTIFICATE = "3cdc83b3932c194fcdf17aa2bf1abc34e8438b293c3d5c70693e175b38ff128a";
const FIELDS = ["1795162500", "discovered_cert", ".example.org", KEY, CERTIFICATE, "C=GB, CN=Some CA", "found", "."];

const line = (changes: Readonly<Record<number, string>> = {}): string =>
  FIELDS.map((field, i) => changes[i] ?? field).join("\t");

test("a found certificate is read with its key, its issuer and the entry of the watch list", () => {
  const found = { event: "certificate", at: 1_795_162_500_000, key: KEY, certificate: CERTIFICATE };
  assert.deepEqual(readSpotted(line()), { ...found, item: ".example.org", issuer: "C=GB, CN=Some CA" });
});

test("any other event of certspotter is trouble, including those of later versions", () => {
  const trouble = { event: "trouble", at: 1_795_162_500_000, says: "cannot reach \\x1blog" };
  for (const event of ["error", "malformed_cert", "something_new"])
    assert.deepEqual(readSpotted(line({ 1: event, 3: "", 4: "", 6: "cannot reach \u001blog" })), trouble);
});

test("an incomplete line is ignored", () => {
  const whole = line();
  for (let cut = 0; cut < whole.length; cut++) assert.equal(readSpotted(whole.slice(0, cut)), null);
  for (const bad of [{ 0: "now" }, { 3: "x" }, { 3: KEY.toUpperCase() }, { 4: "" }, { 5: "a\tb" }, { 7: "" }])
    assert.equal(readSpotted(line(bad)), null);
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (text) => void readSpotted(line({ 1: text, 5: text }))));
});
