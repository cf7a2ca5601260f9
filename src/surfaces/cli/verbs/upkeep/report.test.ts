import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { before, describe, test } from "node:test";
import { noPackageLists } from "../../../../../test/kit/no-package-lists.ts";
import { guardOfSuite, json, TIMED } from "../../../../../test/kit/test-guard.ts";
import type { ReportFacts } from "../../../../core/report/figures.ts";
import type { Report } from "../../../../core/report/report.ts";

noPackageLists();

describe("with a running guard", TIMED, () => {
  const { layout, run, does, fails } = guardOfSuite({ accounts: ["anna@example.org"] });
  before(async () => {
    mkdirSync(layout.log);
    json(await run("ban 203.0.113.7 it scanned us --json"));
  });

  test("--json has the server's figures and what to do", async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the command prints
    const report = json(await run("report --json")) as ReportFacts & Pick<Report, "todo">;
    const { span, from, to, accounts, bans, audit, certificate, disk, todo } = report;
    assert.deepEqual([span, Date.parse(to) - Date.parse(from)], ["week", 7 * 24 * 3_600_000]);
    assert.deepEqual([accounts.total, accounts.unused, bans.standing, audit.total], [1, [], 1, 2]);
    const latest = audit.latest.map(({ type, subject }) => `${type} ${subject}`);
    assert.deepEqual(latest, ["BAN 203.0.113.7/32", "ACCOUNT_ADDED anna@example.org"]);
    assert.deepEqual([certificate.known, disk.known && disk.history], [false, []]);
    assert.ok(todo.some(({ command }) => command === "./ghostinbox backup create"));
  });

  test("it is text for people, and a page with --html", async () => {
    const out = await does("report --month");
    assert.match(out, /^Monthly report of mail\.example\.org\n\d{4}-\d\d-\d\d to .*, UTC\n\nTO DO\n1\. /);
    assert.match(out, /^\s+1 account, 0 suspended/m);
    const page = await run("report --html");
    assert.match(page.out, /^<!DOCTYPE html>\n[^]*<\/html>\n$/);
    assert.match(page.out, /ACCOUNT_ADDED/);
  });

  test("without a working Postfix the mail fails in one sentence", async () => {
    await fails("report --mail", /^The report could not be mailed: /);
  });

  test("options that exclude each other are refused", async () => {
    for (const line of ["report --week --month", "report --html --json", "report --html --mail"])
      assert.equal((await run(line)).code, 2, line);
  });
});
