import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { setLegalHold } from "../../../jobs/retention/retention.ts";
import { layoutOf } from "../../../settings/layout.ts";
import { heldText, sinceText } from "./account-facts.ts";

test("removing an account warns about a legal hold, or that the hold is unknown", async () => {
  const layout = layoutOf(temporaryDirectory());
  mkdirSync(dirname(layout.legalHolds), { recursive: true });
  const anna = { account: "anna@example.org", since: "2026-11-20T06:00:00.000Z", reason: "a lawsuit" };
  assert.equal(await heldText(layout, anna.account), null);
  setLegalHold(layout.legalHolds, anna);
  assert.equal(
    await heldText(layout, "Anna@example.org"),
    "It is under legal hold since 2026-11-20 06:00:00 UTC (a lawsuit): keep its mail.",
  );
  assert.equal(await heldText(layout, "bert@example.org"), null);
  writeFileSync(layout.legalHolds, "{");
  assert.match((await heldText(layout, "bert@example.org")) ?? "", /it is not known which accounts/);
  assert.equal(sinceText({ ...anna, reason: "" }), "since 2026-11-20 06:00:00 UTC");
});
