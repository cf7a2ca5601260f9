import assert from "node:assert/strict";
import { test } from "node:test";
import { reportFacts } from "../../../test/kit/report-facts.ts";
import { reportText } from "./print.ts";
import { reportOf } from "./report.ts";

const fill = <T>(times: number, one: T): readonly T[] => Array.from({ length: times }, () => one);

test("no list and no bar is shown if nothing happened, and long lists are cut", () => {
  const { days, spam, disk, backups, accounts, ...usual } = reportFacts();
  const MB = 1024 ** 2;
  const used = { usedBytes: 40_960 * MB, logBytes: 300 * MB, databaseBytes: 100 * MB };
  const history = fill(15, { day: "2026-11-10", ...used });
  const drill = { at: "2026-11-02T05:00:00.000Z", tookMs: 1, mails: 0, reason: "a pack is damaged" };
  const { title, sections } = reportOf({
    ...usual,
    days: days.map(({ day }) => ({ day, signedIn: 0, failed: 0, refused: 0, accepted: 0, blocked: 0, delivered: 0 })),
    addresses: [],
    triedNames: [],
    refusals: [],
    spam: { ...spam, scored: 0, marked: 0, refused: 0, users: 0 },
    bans: { standing: 0, byReason: [] },
    audit: { total: 0, byType: [], latest: [] },
    updates: { known: true, listsAt: null, isImage: false, packages: [] },
    certificate: {
      known: true,
      file: "",
      isOwn: false,
      names: ["a.test"],
      validTo: "2026-11-20T07:59:00.000Z",
      dueAt: "",
    },
    disk: { ...(disk.known ? disk : assert.fail()), history },
    backups: { ...backups, last: null, isKeySeen: false, drill },
    accounts: { ...accounts, total: 11, unused: fill(11, { name: "a@a.test", lastSignInAt: null }) },
  });
  assert.equal(title, "Weekly report");
  const blocks = sections.flatMap((section) => section.blocks);
  assert.deepEqual(blocks, [
    "0 failed, 0 refused before the password was checked, 0 succeeded.",
    "No address was refused.",
    "0 bans in force; 0 added in this period.",
    "Nothing was done by command.",
    "0 arrived, 0 refused, 0 delivered.",
    "0 mails scored: 0 (0 %) marked as spam; 0 refused as spam.",
    "No user corrected it.",
    "Its rules: version 1900000, last checked on 2026-11-20 04:00 UTC.",
    "GhostInbox 0.1.0, Node.js 26.10.0.",
    "0 updates waiting, 0 for security.",
    "0 packages have known vulnerabilities with a fix; 3 vulnerabilities have none yet.",
    "On 2026-11-18, 2 days ago: index 84 of 100, 0 warnings, 12 suggestions.",
    "a.test: expired on 2026-11-20.",
    "60.0 GB of 100.0 GB are free (60 %) at /srv/mail; logs take 300.0 MB, databases 100.0 MB.",
    "In 10 days it changed by 0 bytes a day, of which logs 0 bytes and databases 0 bytes. It will not be full soon.",
    { type: "bars", title: "Used by day, in MB", rows: fill(14, { label: "2026-11-10", value: 40_960 }) },
    "No backup exists yet.",
    "The restore drill of 2026-11-02 05:00 UTC failed: a pack is damaged",
    "11 accounts, 0 suspended; 11 unused for 90 days.",
    { type: "table", head: ["UNUSED ACCOUNT", "LAST SIGN-IN"], rows: fill(10, ["a@a.test", "no sign-in known"]) },
  ]);
});

test("unknown figures say why, and parts that are off say so", () => {
  const facts = reportFacts({
    updates: { known: false, reason: "apt-get is not there." },
    holes: { known: false, isInstalled: false, reason: "debsecan is not installed." },
    certificate: { known: false, reason: "There is no certificate yet." },
    hardening: { known: false, reason: "Lynis has not checked this machine." },
    disk: { known: false, reason: "The disk cannot be read." },
    spam: { isOn: false, scored: 0, marked: 0, refused: 0, missed: 0, wrong: 0, users: 0, rules: null },
    backups: { isOn: false, last: null, failure: null, isKeySeen: false, drillEveryDays: 30, drill: null },
  });
  const text = reportText(reportOf(facts));
  for (const line of [
    "Waiting updates are not known: apt-get is not there.",
    "Known vulnerabilities could not be listed: debsecan is not installed.",
    "There is no certificate yet.",
    "Lynis has not checked this machine.",
    "The disk cannot be read.",
    "It is switched off (spam.enabled).",
    "Backups are switched off (backup.enabled).",
  ])
    assert.ok(text.includes(`  ${line}\n`), line);
});
