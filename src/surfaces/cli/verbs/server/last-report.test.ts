import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../../../test/kit/temporary-directory.ts";
import { changeMailRecord } from "../../../../jobs/report/records.ts";
import { layoutOf } from "../../../../settings/layout.ts";
import { lastReportJson, lastReportText } from "./status.ts";

test("one line about the last report by mail; nothing before the first", () => {
  const layout = layoutOf(join(temporaryDirectory(), "data"));
  assert.deepEqual([lastReportText(layout), lastReportJson(layout)], [null, null]);
  mkdirSync(layout.report, { recursive: true });
  const to = ["anna@example.org", "bea@example.org"];
  changeMailRecord(layout, { last: { at: Date.UTC(2026, 10, 16, 7), to } });
  assert.equal(
    lastReportText(layout),
    "Last report by mail: 2026-11-16 07:00:00 UTC, to anna@example.org, bea@example.org.",
  );
  assert.deepEqual(lastReportJson(layout), { at: "2026-11-16T07:00:00.000Z", to });
});
