import assert from "node:assert/strict";
import { test } from "node:test";
import { POLICY } from "../../../test/kit/samples.ts";
import { isProvider } from "./policy.ts";

test("a large provider is recognized by its domain and by hosts below it, in upper or lower case", () => {
  for (const name of ["google.com", "mail-lf1-f41.google.com", "MAIL-LF1-F41.GOOGLE.COM"])
    assert.ok(isProvider(POLICY, name), name);
  for (const other of ["notgoogle.com", "google.com.example.net", "google.co", "", null])
    assert.ok(!isProvider(POLICY, other), `${other}`);
});
