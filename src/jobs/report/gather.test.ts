import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { before, describe, test } from "node:test";
import { doneBackup, doneDrill } from "../../../test/kit/data-to-back-up.ts";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { noPackageLists } from "../../../test/kit/no-package-lists.ts";
import { dataDirectory, ghostinbox, guardOfSuite, json, PASSWORD, TIMED } from "../../../test/kit/test-guard.ts";
import { DAY_MS, instant } from "../../core/time.ts";
import { prepareCertificate } from "../../programs/set-up/certificate.ts";
import { changeBackupRecord, endDrill } from "../backup/records.ts";
import { gatherFacts, openNotices, startOf } from "./gather.ts";

const settings = settingsWith();
const facts = async (layout: Parameters<typeof gatherFacts>[0]["layout"]) => {
  const gathered = await gatherFacts({ layout, settings, span: "month", now: instant(Date.now()) });
  return gathered.ok ? gathered.facts : assert.fail(gathered.reason);
};

noPackageLists();

describe("with a running guard", TIMED, () => {
  const { layout } = guardOfSuite();
  before(async () => {
    for (const path of [layout.log, layout.backup, layout.tlsServed]) mkdirSync(path, { recursive: true });
    for (const name of ["old", "new", "gone"])
      json(await ghostinbox(layout, ["account", "add", `${name}@example.org`, "--password-stdin", "--json"], PASSWORD));
    json(await ghostinbox(layout, ["account", "suspend", "gone@example.org", "--json"]));
  });

  test("names unused accounts, but not new or suspended ones", async () => {
    using accounts = new DatabaseSync(layout.accountsDb);
    accounts.exec(`UPDATE account SET created_at = ${Date.now() - 200 * DAY_MS} WHERE name <> 'new@example.org'`);
    const found = (await facts(layout)).accounts;
    const unused = [{ name: "old@example.org", lastSignInAt: null }];
    assert.deepEqual(found, { total: 3, suspended: 1, unusedDays: 90, unused });
    using engine = new DatabaseSync(layout.engineDb);
    engine.exec(`INSERT INTO known_address (prefix, account, first_at, last_at)
      VALUES ('203.0.113.7/32', 'old@example.org', 0, ${Date.now() - DAY_MS})`);
    assert.deepEqual((await facts(layout)).accounts.unused, []);
  });

  test("reads the certificate in use, and the last backup", async () => {
    await prepareCertificate(settings, layout);
    changeBackupRecord(layout, { last: doneBackup(Date.UTC(2026, 10, 20, 3)), isKeySeen: true });
    endDrill(layout, doneDrill(Date.UTC(2026, 10, 2, 5), "a pack is damaged"));
    const { certificate, backups } = await facts(layout);
    assert.ok(certificate.known);
    assert.deepEqual([certificate.names, certificate.isOwn], [["mail.example.org"], true]);
    assert.ok(Date.parse(certificate.validTo) > Date.now() + 30 * DAY_MS);
    assert.deepEqual(backups, {
      isOn: true,
      last: { at: "2026-11-20T03:00:00.000Z", mails: 1, bytes: 1, place: layout.backupRepository },
      failure: null,
      isKeySeen: true,
      drillEveryDays: 30,
      drill: { at: "2026-11-02T05:00:00.000Z", tookMs: 1, mails: 0, reason: "a pack is damaged" },
    });
  });

  test("distinguishes existing from other names that strangers tried", async () => {
    using engine = new DatabaseSync(layout.engineDb);
    engine.exec(`INSERT INTO event (at, type, account, counts, details, action)
      SELECT ${Date.now() - 5_000}, 'LOGIN_FAILED', column1, 0, '', '' FROM (VALUES ('new@example.org'), ('admin'), ('admin'))`);
    engine.exec("INSERT OR IGNORE INTO event_name (role, name, id) SELECT 4, type, id FROM event");
    assert.deepEqual((await facts(layout)).triedNames, [
      { name: "admin", failed: 2, isAccount: false },
      { name: "new@example.org", failed: 1, isAccount: true },
    ]);
  });
});

test("a mailed report starts where the last one ended, unless that is less than one span or more than two ago", () => {
  const now = instant(Date.UTC(2026, 7, 1, 7));
  const from = (days?: number) => {
    const mailedAt = days === undefined ? undefined : now - days * DAY_MS;
    return (now - startOf({ span: "month", now, mailedAt })) / DAY_MS;
  };
  assert.deepEqual([undefined, -1, 5, 28, 31, 45, 400].map(from), [30, 30, 30, 30, 31, 45, 60]);
});

test("alerts, held mail and missing records are listed like notices", () => {
  const notice = { code: "backup_failed", since: "2026-11-20T03:00Z", says: "It failed.", detail: "no room" } as const;
  const task = { since: null, action: "", account: null };
  const tasks = [
    { ...task, kind: "notice", code: notice.code, says: "It failed. no room" },
    { ...task, kind: "held_mail", code: "mail_held", says: "1 mail is held." },
    { ...task, kind: "alert", code: "password_guessed", says: "It was guessed." },
    { ...task, kind: "notice", code: "outgoing_blocked", says: "Mail cannot leave." },
    { ...task, kind: "dns", code: "dns_records_missing", says: "DNS records are missing." },
  ] as const;
  const notices = [{ ...notice, next: "" }];
  const listed = openNotices({ notices, needsYou: [...tasks], headline: "outgoing_blocked" });
  const found = listed.map(({ says, detail, isCritical }) => [says, detail, isCritical]);
  assert.deepEqual(found, [
    ["It failed.", "no room", false],
    ["1 mail is held.", "", true],
    ["It was guessed.", "", true],
    ["Mail cannot leave.", "", true],
    ["DNS records are missing.", "", false],
  ]);
});

test("without a guard no database is opened", async () => {
  using layout = dataDirectory();
  const gathered = await gatherFacts({ layout, settings, span: "week", now: instant(Date.now()) });
  assert.deepEqual(gathered, { ok: false, reason: "The guard does not answer." });
});
