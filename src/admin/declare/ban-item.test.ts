import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN } from "../../../test/kit/samples.ts";
import { banItem } from "./items.ts";

test("a ban as every interface shows it: times in ISO 8601 UTC, null for one without end", () => {
  const [createdAt, expiresAt] = ["2026-11-20T11:59:00.000Z", "2026-11-20T12:29:00.000Z"];
  assert.deepEqual(banItem(BAN), { ...BAN, createdAt, expiresAt });
  assert.equal(banItem({ ...BAN, expiresAt: null }).expiresAt, null);
});
