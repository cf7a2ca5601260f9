import assert from "node:assert/strict";
import { test } from "node:test";
import { reportFacts } from "../../../test/kit/report-facts.ts";
import { formatBytes } from "./figures.ts";
import { reportHtml, reportText } from "./print.ts";
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

test("no line of several words is longer than 80 characters, and strangers' text shows what is in it", () => {
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
    text.split("\n").filter((line) => line.length > 80 && line.trim().includes(" ")),
    [],
  );
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{C}]/u);
  assert.ok(text.includes("\\x1b[2Jx\\x0a\\u{202e}<b>"));
});

test("what strangers wrote is text, in every place", () => {
  const hostile = `</td><script src="https://evil.example/x"></script>\u0000\u202e&'`;
  const facts = reportFacts({
    host: hostile,
    addresses: [{ ip: hostile, signIns: 1, mails: 1, connections: 1, isBanned: false }],
    triedNames: [{ name: hostile, failed: 900, isAccount: true }],
    refusals: [{ code: hostile, says: hostile, count: 1 }],
    days: [{ day: hostile, signedIn: 1, failed: 1, refused: 1, accepted: 1, blocked: 1, delivered: 1 }],
    notices: [{ code: "x", says: hostile, detail: hostile, isCritical: true }],
    audit: {
      total: 1,
      byType: [{ type: hostile, count: 1 }],
      latest: [{ at: hostile, actor: hostile, type: hostile, subject: hostile }],
    },
  });
  const html = reportHtml(reportOf(facts));
  for (const bad of ["<script", "\u0000", "\u202e"]) assert.ok(!html.includes(bad), bad);
  assert.ok(
    html.includes("&lt;script src=&quot;https://evil.example/x&quot;&gt;&lt;/script&gt;\\x00\\u{202e}&amp;&#39;"),
  );
});

test("it is whole: every element that is opened is closed, in order", () => {
  const open: string[] = [];
  for (const [, end, name = ""] of reportHtml(reportOf(reportFacts())).matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
    if (["meta", "br"].includes(name)) continue;
    if (end === "") open.push(name);
    else assert.equal(open.pop(), name);
  }
  assert.deepEqual(open, []);
});

test("it loads nothing and runs nothing", () => {
  const html = reportHtml(reportOf(reportFacts()));
  assert.doesNotMatch(html, /https?:|url\(|src=|href=|<style|<link|<img|<svg|\son\w+=/);
});

test("bars are cells as wide as their values, and an empty one is none", () => {
  const html = reportHtml(reportOf(reportFacts()));
  const widths = [...html.matchAll(/<td width="(\d+)"/g)].map(([, width]) => Number(width));
  assert.deepEqual(widths.slice(0, 3), [150, 90, 300]);
  const quiet = reportFacts({ days: [] });
  assert.doesNotMatch(reportHtml(reportOf(quiet)), /<td width/);
});

test("sizes by powers of 1,000, with one digit after the point", () => {
  const shown = [0, 999, 1_000, 1_550, 999_949_999, 1e15, -1_550].map(formatBytes);
  assert.deepEqual(shown, ["0 bytes", "999 bytes", "1.0 kB", "1.6 kB", "999.9 MB", "1000.0 TB", "-1.6 kB"]);
});
