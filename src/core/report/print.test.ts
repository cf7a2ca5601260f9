import assert from "node:assert/strict";
import { test } from "node:test";
import { reportFacts } from "../../../test/kit/report-facts.ts";
import { formatBytes, numbered, share } from "./figures.ts";
import { reportHtml, reportText } from "./print.ts";
import { reportOf } from "./report.ts";

const HOSTILE = `\u001b[2Jx\n\u202e<b>&"'${"long".repeat(60)}`;

const usual = reportFacts();
const days = usual.days.map((day, i) => ({ ...day, failed: 0, refused: [0, 1, 300][i] ?? 0, accepted: i % 2 }));

test("a report reads well, and lists the five most urgent tasks first", () => {
  const at = "2026-11-19T10:00:00.000Z";
  const packages = ["tzdata", "tar", "openssl"].map((name) => ({ name, version: "3", isSecurity: name === "openssl" }));
  const fixable = ["tar", "openssl"].map((name) => ({ name, cves: ["CVE-1", "CVE-2", "CVE-3", "CVE-4"] }));
  const warnings = ["PKGS-7392", "MAIL-8818"].map((test) => ({ test, says: "Found something." }));
  const unused = [null, "2026-01-02"].map((lastSignInAt, i) => ({ name: `old${i}@a.test`, lastSignInAt }));
  const small = { logBytes: 0, databaseBytes: 0 };
  const history = [10, 15].map((n) => ({ day: `2026-11-${n}`, usedBytes: n * 1024 ** 3, ...small }));
  const facts = reportFacts({
    span: "month",
    days,
    looked: { events: 100_000, isAll: false },
    addresses: [...usual.addresses, { ip: "2001:db8::1", signIns: 2_000, mails: 0, connections: 1, isBanned: false }],
    triedNames: [...usual.triedNames, { name: "anna@example.org", failed: 8, isAccount: true }],
    refusals: [...usual.refusals, { code: "x", says: "A reason that is too long for a cell of this table.", count: 2 }],
    spam: { ...usual.spam, rules: { version: "19", at, failure: "no answer." } },
    bans: { standing: 1, byReason: [...usual.bans.byReason, { code: "x", says: "Another.", count: 1_000 }] },
    audit: {
      total: 3,
      byType: [...usual.audit.byType, { type: "BAN", count: 2 }],
      latest: [...usual.audit.latest, { at, actor: "a".repeat(18), type: "BAN", subject: "b".repeat(60) }],
    },
    updates: { known: true, listsAt: at, isImage: false, packages },
    holes: { known: true, isInstalled: true, fixable, unfixed: 1 },
    hardening: { known: true, at, index: 84, warnings, suggestions: 1 },
    certificate: {
      known: true,
      file: "/srv/cert.pem",
      isOwn: true,
      names: ["a.test", "b.test"],
      validTo: usual.to,
      dueAt: usual.from,
    },
    disk: { ...(usual.disk.known ? usual.disk : assert.fail()), history },
    backups: { ...usual.backups, failure: { at, reason: "no room" }, isKeySeen: false },
    accounts: { ...usual.accounts, unused },
    notices: ["Second.", "First."].map((says) => ({ says, detail: "why", isCritical: says === "First." })),
  });
  assert.equal(
    reportText(reportOf(facts)),
    `Monthly report of mail.example.org
2026-11-13 to 2026-11-20, UTC

TO DO
1. First. why. And 1 more task.
     ./ghostinbox status
2. The TLS certificate expires in 0 days. A restart renews it.
     ./ghostinbox restart
3. The disk will be full on 2026-12-10 at this rate: see what uses the space.
     du -xDh --max-depth=2 /srv/mail | sort -h | tail
4. The last backup failed: no room
     ./ghostinbox backup create
5. Install 1 security update.
     apt-get update && apt-get --with-new-pkgs upgrade

SIGN-INS
  0 failed, 301 refused before the password was checked, 36 succeeded.
  Failed and refused sign-ins by day:
    2026-11-18   0
    2026-11-19   # 1
    2026-11-20   ######################################## 300
  NAME TRIED        FAILED
  admin             9       no account here
  anna@example.org  8       an account here

ADDRESSES THAT WERE REFUSED MOST
  ADDRESS      SIGN-INS  MAILS  CONNECTIONS  NOW
  203.0.113.7  12        3      40           banned
  2001:db8::1  2,000     0      1
  Counted from the newest 100,000 events that are kept.

BANS
  1 ban in force; 1,005 added in this period.
  BANS   REASON
  5      Too many different wrong passwords.
  1,000  Another.

WHAT ADMINISTRATORS DID
  3 entries of the audit: ACCOUNT_ADDED 1, BAN 2.
  TIME                  BY                  WHAT           TO WHAT
  2026-11-19 10:00 UTC  root                ACCOUNT_ADDED  anna@example.org
  2026-11-19 10:00 UTC  aaaaaaaaaaaaaaaaaa  BAN            bbbbbbbbbbbbbbbbbbbb…

MAIL
  1 arrived, 15 refused, 117 delivered.
  Mails that arrived, by day:
    2026-11-18   0
    2026-11-19   ######################################## 1
    2026-11-20   0
  REFUSED  REASON
  15       The client is on a DNS block list.
  2        A reason that is too long for a cell of thi…

SPAM FILTER
  120 mails scored: 30 (25 %) marked as spam; 4 refused as spam. Counted from
  the newest 100,000 events that are kept.
  2 users corrected it: 3 mails moved into Junk, 1 out of it.
  Its rules: version 19, last checked on 2026-11-19 10:00 UTC. The last attempt
  failed: no answer.

UPDATES
  GhostInbox 0.1.0, Node.js 26.10.0.
  3 updates waiting, 1 for security. The lists of apt are 0 days old.
  PACKAGE  NEW VERSION
  openssl  3            security
  tzdata   3
  tar      3
  2 packages have known vulnerabilities with a fix; 1 vulnerability has none
  yet.
  PACKAGE  VULNERABILITIES
  tar      CVE-1 CVE-2 CVE-3
  openssl  CVE-1 CVE-2 CVE-3

HARDENING OF THE MACHINE (LYNIS)
  On 2026-11-19, 0 days ago: index 84 of 100, 2 warnings, 1 suggestion.
  TEST       WARNING
  PKGS-7392  Found something.
  MAIL-8818  Found something.

CERTIFICATE
  a.test, b.test: 0 days left, until 2026-11-20. It is self-signed.

DISK AND LOGS
  60.0 GB of 100.0 GB are free (60 %) at /srv/mail; logs take 300.0 MB,
  databases 100.0 MB.
  In 10 days it changed by 3.0 GB a day, of which logs 30.0 MB and databases
  10.0 MB. It will be full on 2026-12-10 at this rate.
  Used by day, in MB:
    2026-11-10   ########################### 10,240
    2026-11-15   ######################################## 15,360

BACKUPS AND RESTORE DRILLS
  The latest is from 2026-11-20 03:00 UTC (0 days ago): 5,000 mails, 3.0 GB, in
  /srv/mail/backup/repository.
  The backup at 2026-11-19 10:00 UTC failed: no room
  The key has never been shown.
  The restore drill of 2026-11-02 05:00 UTC restored 4,900 mails in 1 min.

ACCOUNTS
  4 accounts, 0 suspended; 2 unused for 90 days.
  UNUSED ACCOUNT  LAST SIGN-IN
  old0@a.test     no sign-in known
  old1@a.test     2026-01-02
`,
  );
});

test("no line of several words is longer than 80 characters, and strangers' text shows invisible characters", () => {
  const facts = reportFacts({
    triedNames: [{ name: HOSTILE, failed: 9, isAccount: false }],
    notices: [{ says: "It is so.", detail: HOSTILE, isCritical: true }],
    audit: { total: 1, byType: [], latest: [{ at: usual.to, actor: HOSTILE, type: "BAN", subject: HOSTILE }] },
  });
  const text = reportText(reportOf(facts));
  const long = text.split("\n").filter((line) => line.length > 80 && line.trim().includes(" "));
  assert.deepEqual(long, []);
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{C}]/u);
  assert.ok(text.includes("\\x1b[2Jx\\x0a\\u{202e}<b>"));
});

test("an endless text takes 1,000 characters, and a command with one takes 400", () => {
  const triedNames = [{ name: "x".repeat(3_000), failed: 900, isAccount: true }];
  const text = reportText(reportOf(reportFacts({ triedNames })));
  const [, what = "", command] = /1\. (.*?)\n {5}([^\n]*)/s.exec(text) ?? [];
  assert.deepEqual([what.replaceAll("\n   ", " ").length, command?.length], [1_000, 400]);
});

test("strangers' words are never markup, wherever they are", () => {
  const hostile = `</td><script src="https://evil.example/x"></script>\u0000\u202e&'`;
  const entry = { at: hostile, actor: hostile, type: hostile, subject: hostile };
  const facts = reportFacts({
    host: hostile,
    addresses: [{ ip: hostile, signIns: 1, mails: 1, connections: 1, isBanned: false }],
    triedNames: [{ name: hostile, failed: 900, isAccount: true }],
    refusals: [{ code: hostile, says: hostile, count: 1 }],
    days: [{ day: hostile, signedIn: 1, failed: 1, refused: 1, accepted: 1, blocked: 1, delivered: 1 }],
    notices: [{ says: hostile, detail: hostile, isCritical: true }],
    audit: { total: 1, byType: [{ type: hostile, count: 1 }], latest: [entry] },
  });
  const html = reportHtml(reportOf(facts));
  for (const bad of ["<script", "\u0000", "\u202e"]) assert.ok(!html.includes(bad), bad);
  const shown = "&#60;script src=&#34;https://evil.example/x&#34;&#62;&#60;/script&#62;\\x00\\u{202e}&#38;&#39;";
  assert.ok(html.includes(shown));
  assert.equal(html.split("<li ").length - 1, 2);
  assert.match(reportHtml(reportOf(reportFacts({ certificate: { known: false, reason: "None." } }))), /<li .*None\./);
  assert.match(reportHtml(reportOf(usual)), /<p>Nothing to do\.<\/p>/);
});

test("the HTML is complete: every element that is opened is closed, in order", () => {
  const open: string[] = [];
  for (const [, end, name = ""] of reportHtml(reportOf(reportFacts())).matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
    if (["meta", "br"].includes(name)) continue;
    if (end === "") open.push(name);
    else assert.equal(open.pop(), name);
  }
  assert.deepEqual(open, []);
});

test("the HTML loads nothing and runs nothing", () => {
  const html = reportHtml(reportOf(reportFacts()));
  assert.doesNotMatch(html, /https?:|url\(|src=|href=|<style|<link|<img|<svg|\son\w+=/);
});

test("bars are cells as wide as their values, and an empty one has no cell", () => {
  const html = reportHtml(reportOf(reportFacts({ days })));
  const widths = [...html.matchAll(/<td width="(\d+)"/g)].map(([, width]) => Number(width));
  assert.deepEqual(widths, [1, 300, 300]);
  const quiet = reportFacts({ days: [] });
  assert.doesNotMatch(reportHtml(reportOf(quiet)), /<td width/);
});

test("sizes are in powers of 1,024, with one digit after the point", () => {
  const shown = [0, -1, 1_023, 1_024, 1_590, 5 * 1024 ** 3, 1024 ** 5, -1_590].map(formatBytes);
  assert.deepEqual(shown, ["0 bytes", "-1 bytes", "1023 bytes", "1.0 KB", "1.6 KB", "5.0 GB", "1024.0 TB", "-1.6 KB"]);
});

test("numbers have commas and their noun", () => {
  const shown = [1, 0, 12_345].map((n) => numbered(n, "mail"));
  assert.deepEqual(shown, ["1 mail", "0 mails", "12,345 mails"]);
});

test("shares are in whole percent, and 0 % of nothing", () =>
  assert.deepEqual([share(0, 0), share(1, 1), share(2, 3), share(999, 1_000)], ["0 %", "100 %", "67 %", "99 %"]));
