import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { hardening } from "./hardening.ts";

test("the last report of Lynis is read where there is one", () => {
  const file = join(temporaryDirectory(), "lynis-report.dat");
  assert.deepEqual(hardening(file), { known: false, reason: "Lynis has not looked at this machine." });
  writeFileSync(file, "report_datetime_start=2026-11-21 10:13:26\n");
  const unfinished = hardening(file);
  assert.match(unfinished.known ? "" : unfinished.reason, /is not the report of a run that has ended\.$/);
  writeFileSync(file, "warning[]=X-1|Bad|-|-|\nreport_datetime_end=2026-11-21 10:14:17\nhardening_index=84\n");
  assert.deepEqual(hardening(file), {
    known: true,
    at: new Date(2026, 10, 21, 10, 14, 17).toISOString(),
    index: 84,
    warnings: [{ test: "X-1", says: "Bad" }],
    suggestions: 0,
  });
  truncateSync(file, 17 * 1024 * 1024);
  assert.equal(hardening(file).known, false);
  assert.equal(hardening("/dev/null").known, false);
});
