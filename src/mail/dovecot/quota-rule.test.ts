import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQuotaRule } from "./accounts-file.ts";

const cases: readonly [rule: string, bytes: number | null | "unreadable"][] = [
  ["*:storage=1G", 1024 ** 3],
  ["*:storage=500m", 500 * 1024 ** 2],
  ["*:storage=2T", 2 * 1024 ** 4],
  ["*:storage=20", 20_480],
  ["*:storage=20B", 20],
  ["*:storage=0", 0],
  ["*:bytes=20", 20],
  ["*:bytes=20K", 20_480],
  ["*:messages=100:storage=1K", 1_024],
  ["*:messages=100", null],
  ["*:ignore", null],
  ["Trash:storage=+10%", null],
  ["*:storage=+10%", "unreadable"],
  ["*:storage=", "unreadable"],
  ["*:stor", "unreadable"],
  ["*:storage=999999999999999T", "unreadable"],
];
for (const [rule, bytes] of cases) test(rule, () => assert.equal(parseQuotaRule(rule), bytes));
