import assert from "node:assert/strict";
import { test } from "node:test";
import { reportFacts } from "../../../test/kit/report-facts.ts";
import { reportText } from "./print.ts";
import { reportOf } from "./report.ts";

test("a report names its server and time, and has all sections", () => {
  const report = reportOf(reportFacts());
  const { title, host, from, to } = report;
  assert.deepEqual(
    [title, host, from, to],
    ["Weekly report", "mail.example.org", "2026-11-13T08:00:00.000Z", "2026-11-20T08:00:00.000Z"],
  );
  assert.equal(reportOf(reportFacts({ span: "month" })).title, "Monthly report");
  assert.deepEqual(
    report.sections.map((section) => section.title),
    [
      "Sign-ins",
      "Addresses that were refused most",
      "Bans",
      "What administrators did",
      "Mail",
      "Spam filter",
      "Updates",
      "Hardening of the machine (Lynis)",
      "Certificate",
      "Disk and logs",
      "Backups and restore drills",
      "Accounts",
    ],
  );
});

test("what is not known says why, and what is off says so", () => {
  const text = reportText(
    reportOf(
      reportFacts({
        updates: { known: false, reason: "apt-get is not there." },
        holes: { known: false, isInstalled: false, reason: "debsecan is not installed." },
        certificate: { known: false, reason: "There is no certificate yet." },
        hardening: { known: false, reason: "Lynis has not looked at this machine." },
        disk: { known: false, reason: "The disk cannot be asked." },
        spam: { isOn: false, scored: 0, marked: 0, refused: 0, missed: 0, wrong: 0, users: 0, rules: null },
        backups: { isOn: false, last: null, failure: null, isKeySeen: false, drill: null },
      }),
    ),
  );
  for (const line of [
    "Waiting updates are not known: apt-get is not there.",
    "Known holes are not known: debsecan is not installed.",
    "There is no certificate yet.",
    "Lynis has not looked at this machine.",
    "The disk cannot be asked.",
    "It is switched off (spam.enabled).",
    "Backups are switched off (backup.enabled).",
  ])
    assert.ok(text.includes(`  ${line}\n`), line);
});

test("of nothing the share is none, and three holes of a package are named", () => {
  const fixable = [
    { name: "openssl", cves: ["CVE-1", "CVE-2", "CVE-3", "CVE-4"] },
    { name: "tar", cves: ["CVE-5"] },
  ];
  const spam = { ...reportFacts().spam, scored: 0, marked: 0 };
  const text = reportText(
    reportOf(reportFacts({ spam, holes: { known: true, isInstalled: true, fixable, unfixed: 0 } })),
  );
  assert.match(text, /0 mails were scored: 0 \(0 %\) went to Junk/);
  assert.match(text, /openssl +CVE-1 CVE-2 CVE-3\n +tar +CVE-5\n/);
});

test("Lynis's result is shown with its age, its index and its warnings", () => {
  const warnings = [{ test: "PKGS-7392", says: "Found one or more vulnerable packages." }];
  const hardening = { known: true, at: "2026-11-18T04:00:00.000Z", index: 84, warnings, suggestions: 12 } as const;
  const text = reportText(reportOf(reportFacts({ hardening }))).replaceAll(/\s+/g, " ");
  assert.match(text, /On 2026-11-18, \d+ days? ago: index 84 of 100, 1 warning, 12 suggestions\./);
  assert.match(text, /PKGS-7392 Found one or more vulnerable packages\./);
});

test("figures that cover only a part of the events say so", () => {
  const text = reportText(reportOf(reportFacts({ looked: { events: 100_000, isAll: false } })));
  assert.match(text, /2 users corrected it: 3 mails moved into Junk, 1 out of it\./);
  const { spam } = reportFacts();
  assert.match(reportText(reportOf(reportFacts({ spam: { ...spam, users: 0 } }))), /No user corrected it\./);
  assert.equal(text.replaceAll(/\s+/g, " ").split("Counted from the newest 100,000 events that are kept.").length, 3);
});
