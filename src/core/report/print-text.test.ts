import assert from "node:assert/strict";
import { test } from "node:test";
import { reportFacts } from "../../../test/kit/report-facts.ts";
import { reportText } from "./print.ts";
import { reportOf } from "./report.ts";

const HOSTILE = `\u001b[2Jx\n\u202e<b>&"'${"long".repeat(60)}`;

test("the head of the report reads well", () => {
  const facts = reportFacts({
    accounts: { ...reportFacts().accounts, unused: [{ name: "old@example.org", lastSignInAt: null }] },
  });
  assert.equal(
    reportText(reportOf(facts)).split("\n\nADDRESSES")[0],
    `Weekly report of mail.example.org
2026-11-13 to 2026-11-20, UTC

TO DO
1. old@example.org has not been used for 90 days: suspend unneeded accounts.
     ./ghostinbox account suspend old@example.org

SIGN-INS
  9 failed, 9 refused without a check, 36 succeeded.
  Failed and refused sign-ins by day:
    2026-11-18   #################### 5
    2026-11-19   ############ 3
    2026-11-20   ######################################## 10
  NAME TRIED  FAILED
  admin       9       no account here`,
  );
  assert.match(reportText(reportOf(reportFacts())), /\n\nNothing to do\.\n\n/);
});

test("no line is longer than 80 characters, and strangers' text shows what is in it", () => {
  const facts = reportFacts({
    triedNames: [{ name: HOSTILE, failed: 9, isAccount: false }],
    notices: [{ code: "x", says: "It is so.", detail: HOSTILE, isCritical: true }],
    audit: {
      total: 1,
      byType: [],
      latest: [{ at: "2026-11-20T08:00:00.000Z", actor: HOSTILE, type: "BAN", subject: HOSTILE }],
    },
  });
  const text = reportText(reportOf(facts));
  assert.deepEqual(
    text.split("\n").filter((line) => line.length > 80),
    [],
  );
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{C}]/u);
  assert.ok(text.includes("\\x1b[2Jx\\x0a\\u{202e}<b>"));
});
