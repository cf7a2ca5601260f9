import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { makeCheapRepository } from "../../../../../test/kit/cheap-repository.ts";
import { dataToBackUp, doneBackup } from "../../../../../test/kit/data-to-back-up.ts";
import { put } from "../../../../../test/kit/files.ts";
import { lacking } from "../../../../../test/kit/needs.ts";
import { scriptCall } from "../../../../../test/kit/script-world.ts";
import { commandLineOf, oneLineOfError } from "../../../../../test/kit/test-guard.ts";
import { releaseLock, takeLock } from "../../../../host/running/data-directory.ts";
import { changeBackupRecord } from "../../../../jobs/backup/records.ts";
import { backupExport, notRestored, restoredText } from "./backup.ts";

const { layout, run, fails, does } = commandLineOf(import.meta.filename);
const ROOT = { skip: lacking({ root: true, installed: ["restic"] }) };

test("an empty repository shows when and where the last backup was made", ROOT, async () => {
  put(layout.backupKey, "key\n");
  const listed = async () => (await does("backup list")).split("\n")[0];
  assert.equal(await listed(), "No backup exists yet.");
  changeBackupRecord(layout, { last: doneBackup(Date.UTC(2026, 10, 20, 3)) });
  const expected = `${layout.backupRepository} holds no backup. The last one was made on 2026-11-20 03:00:00 UTC in /backups.`;
  assert.equal(await listed(), expected);
  const says =
    /^The restore drill failed: .* Fix that, or make another backup \(.* create\), then: \.\/ghostinbox backup drill\n$/;
  await fails("backup drill", says);
});

test("a missing key is not mistaken for a missing backup", ROOT, async () => {
  const failed = async (err: string) => {
    for (const verb of ["drill", "key", "list", "verify"]) {
      const ran = await run(`backup ${verb}`);
      assert.deepEqual([ran.code, ran.err], [1, err], verb);
    }
  };
  await failed("No backup exists yet. Make one: ./ghostinbox backup create\n");
  mkdirSync(dirname(layout.backupKey), { recursive: true });
  changeBackupRecord(layout, { last: doneBackup(Date.UTC(2026, 10, 20, 3)) });
  const says = `The key of the backups is missing. Put it into ${layout.backupKey}.\n`;
  await failed(says);
  put(layout.backupKey, "");
  await failed(says);
});

test("backups are not verified while a backup runs, which would fail because of restic's lock", ROOT, async () => {
  put(layout.backupKey, "key\n");
  takeLock(layout.backupLock);
  const says = `A backup, restore drill or verification is already running (pid ${process.pid}). Try again later.\n`;
  assert.equal(oneLineOfError(await run("backup verify --quick"), 1), says);
  releaseLock(layout.backupLock);
  assert.match((await run("backup verify --quick")).err, /^The backups in \S+ could not be checked/);
});

test("the failure of a backup says nothing about earlier ones", ROOT, async () => {
  put(layout.backupKey, "key\n");
  writeFileSync(layout.settings, "");
  changeBackupRecord(layout, { last: { ...doneBackup(Date.UTC(2026, 10, 20, 3)), place: layout.backupRepository } });
  await fails("backup create", /^The backups in \S+ are gone, .* delete \S+last\.json\.\n$/);
});

test("an archive refuses a passphrase with invalid UTF-8", ROOT, async () => {
  const { code, err } = await run("backup export /nonexistent", "seven qui\ufffdt llamas\n");
  assert.equal(code, 1);
  assert.match(err, /^The passphrase contains a character that is not UTF-8\. /m);
});

test("Ctrl-C at the second question for a passphrase is not a different passphrase", async () => {
  writeFileSync(layout.settings, "");
  const askSecret = (question: string) => Promise.resolve(question === "Once more: " ? null : "seven quiet llamas");
  const terminal = { interactive: true, askSecret };
  const answer = await backupExport(scriptCall({ layout, args: ["/nonexistent"], terminal }));
  assert.equal(answer.ok ? "" : answer.message, "Interrupted: nothing was written.");
});

test("options of a restore that do not fit together restore nothing", ROOT, async () => {
  const archive = join(layout.data, "x.gpg");
  put(archive, "");
  for (const [options, says] of [
    ["--into X", /^--folder, --message and --into are for mails of one account\. /],
    ["--account anna@example.org --to /root/x", /^--account and --to exclude each other\. /],
    ["--environment-file /root/x", /^--environment-file is for the place that --from names\. /],
    [`${archive} --account anna@example.org --into X`, /^--account is for backups, not for an archive\. /],
  ] as const)
    await fails(`backup restore ${options}`, says, { code: 2 });
});

test("a damaged backup is not restored, and the message names restic's own command", ROOT, async () => {
  const { layout: source, top, maildir, backUp } = dataToBackUp();
  put(join(maildir("anna"), "cur", "1:2,S"), randomBytes(1_000_000));
  makeCheapRepository(source);
  await backUp();
  const packs = globSync(join(source.backupRepository, "data/*/*"));
  const largest = packs.toSorted((a, b) => statSync(b).size - statSync(a).size)[0] ?? "";
  const bytes = readFileSync(largest);
  bytes.write("changed", Math.trunc(bytes.length / 2));
  writeFileSync(largest, bytes);
  const from = `--from ${source.backupRepository} --key-file ${source.backupKey} --yes`;
  const { err } = await run(`backup restore ${from}`, "", { GHOSTINBOX_DATA: join(top, "other") });
  assert.match(
    err,
    /^Nothing was restored: it is damaged\. `restic -r PLACE restore [0-9a-f]{8} --no-lock --tag ghostinbox --target DIR` writes .*\n$/,
  );
});

test("a restore that the next start completes names variables that it needs and what may come back; one that failed does not", () => {
  const [reason, aside, call] = ["why", `${layout.data}.before-x`, scriptCall({ layout, env: {} })];
  assert.equal(notRestored(call, { ok: false, reason }).found, undefined);
  const variables = ["GHOSTINBOX_HOSTNAME"];
  const { lines, json } = notRestored(call, { ok: false, reason, aside, variables }).found ?? {};
  assert.match(lines?.[0] ?? "", /^Make sure .* no backup holds: GHOSTINBOX_HOSTNAME$/);
  assert.match(lines?.[1] ?? "", /^Whatever was revoked, removed or changed after the backup is back, /);
  assert.deepEqual(json, { to: layout.data, aside });
});

test("a restore names the variables that gave the server settings, unless they are set", () => {
  writeFileSync(layout.settings, "");
  const variables = ["GHOSTINBOX_MAILBOXES__ENCRYPTION", "GHOSTINBOX_SPAM__PROCESSES"];
  const says = (env: Record<string, string>, had?: readonly string[]) =>
    /^Make sure that the next start has these variables, .*: (.*)$/m.exec(
      restoredText(scriptCall({ layout, env }), "it", null, had),
    )?.[1];
  assert.equal(says({}, variables), variables.join(", "));
  assert.equal(says({ GHOSTINBOX_SPAM__PROCESSES: "3" }, variables), variables[0]);
  assert.equal(says(Object.fromEntries(variables.map((name) => [name, "1"])), variables), undefined);
  assert.equal(says({}), undefined, "of an earlier version");
});
