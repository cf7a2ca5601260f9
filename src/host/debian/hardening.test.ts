import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { hardening, readLynis } from "./hardening.ts";

/** Lines written by lynis 3.0.8 of Debian 12. */
const REPORT = `# Lynis Report
report_version_major=1
report_datetime_start=2026-11-21 10:13:26
auditor=[Not Specified]
lynis_version=3.0.8
suggestion[]=AUTH-9328|Default umask in /etc/login.defs could be more strict like 027|-|-|
suggestion[]=FILE-6310|To decrease the impact of a full /tmp file system, place /tmp on a separate partition|-|-|
warning[]=PKGS-7392|Found one or more vulnerable packages.|-|-|
vulnerable_package[]=libssl3
report_datetime_end=2026-11-21 10:14:17
hardening_index=84
tests_executed=PKGS-7392|NAME-4028|
finish=true
`;

test("the last report of Lynis is read if there is one: its end, index, warnings and number of suggestions", () => {
  const file = join(temporaryDirectory(), "lynis-report.dat");
  assert.deepEqual(hardening(file), { known: false, reason: "Lynis has not checked this machine." });
  writeFileSync(file, "report_datetime_start=2026-11-21 10:13:26\n");
  const unfinished = hardening(file);
  assert.match(unfinished.known ? "" : unfinished.reason, /is not the report of a finished run\.$/);
  writeFileSync(file, REPORT);
  const at = new Date(2026, 10, 21, 10, 14, 17).toISOString();
  const warnings = [{ test: "PKGS-7392", says: "Found one or more vulnerable packages." }];
  assert.deepEqual(hardening(file), { known: true, at, index: 84, warnings, suggestions: 2 });
  truncateSync(file, 17 * 1024 * 1024);
  assert.equal(hardening(file).known, false);
  assert.equal(hardening("/dev/null").known, false);
});

test("an unfinished report, or another file, is not a report", () => {
  for (const text of ["", "x", REPORT.replace(/report_datetime_end.*/, ""), REPORT.replace("=84", "=840")])
    assert.equal(readLynis(text), null);
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (text) => void readLynis(REPORT + text)));
});

test("warnings are printable lines of bounded length", () => {
  const warning = `warning[]=X-1|\u001b[31m${"x".repeat(1_000)}|-|-|\n`;
  const [first] = readLynis(warning.repeat(200) + REPORT)?.warnings ?? [];
  assert.equal(first?.says.length, 200);
  assert.ok(first.says.startsWith("\\x1b[31m"));
  assert.equal(readLynis(warning.repeat(200) + REPORT)?.warnings.length, 100);
});
