import assert from "node:assert/strict";
import { test } from "node:test";
import { POLICY } from "../../../test/kit/samples.ts";
import { isProvider } from "./policy.ts";

const examples: readonly (readonly [clientName: string | null, isOne: boolean])[] = [
  ["google.com", true],
  ["mail-lf1-f41.google.com", true],
  ["MAIL-LF1-F41.GOOGLE.COM", true],
  ["notgoogle.com", false],
  ["google.com.example.net", false],
  ["google.co", false],
  ["", false],
  [null, false],
];
for (const [clientName, isOne] of examples)
  test(`${clientName} is ${isOne ? "" : "not "}a large provider`, () =>
    assert.equal(isProvider(POLICY, clientName), isOne));
