// Invariant: An upgrade can be undone by a few renames, which the next start completes.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { anotherDisk, NO_OTHER_DISK } from "../../../test/kit/another-disk.ts";
import { contentOf, modeOf, put } from "../../../test/kit/files.ts";
import { OLD_SETTINGS, oldData } from "../../../test/kit/next-version.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { HOUR_MS, instant, later } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import { openAccounts, openEngine } from "../../store/open.ts";
import { copyPath, digestPath } from "../../store/recovery/database-files.ts";
import { schemasOf } from "../../store/schemas.ts";
import { changesToLose, finishRollback, rollBack, startedAside, whyNoRollback } from "./rollback.ts";
import { makeUpgradeSnapshot, noteUpgraded } from "./upgrade-snapshot.ts";

const NOW = instant(Date.UTC(2026, 10, 21, 12, 0, 0));
const ELSEWHERE = anotherDisk();

/** A server that was upgraded, and has been used since. */
async function upgraded(t: TestContext) {
  const layout = oldData(t);
  const snapshot = await makeUpgradeSnapshot(layout, NOW);
  assert.ok(snapshot !== null);
  using engine = openEngine(layout.engineDb);
  engine.exec(`
    INSERT INTO event (at, type, counts, details, action) VALUES (1, 'BAN', 0, '', ''), (2, 'BAN', 0, '', '');
    UPDATE ban SET ended_at = 1, ended = 'UNBAN' WHERE prefix = '203.0.113.200/32'`);
  using accounts = openAccounts(layout.accountsDb);
  accounts.exec(`
    INSERT INTO account (name, password, created_at) VALUES ('new@example.test', '{X}y', 1);
    UPDATE account SET password = '{X}z' WHERE name = 'anna@example.test'`);
  put(copyPath(layout.accountsDb), "of the newer schema");
  put(digestPath(layout.engineDb), "of the newer schema");
  noteUpgraded(layout);
  put(layout.settings, `${OLD_SETTINGS}report.mail = "no"\n`);
  return { layout, snapshot };
}

const versions = (layout: Layout) => schemasOf(layout).map(({ version }) => version);

test("detects what was added since the snapshot", async (t) => {
  const { layout, snapshot } = await upgraded(t);
  const changes = changesToLose(layout, snapshot);
  assert.equal(changes.events, 2);
  assert.deepEqual(changes.accounts, { added: ["new@example.test"], removed: [], changed: ["anna@example.test"] });
  assert.deepEqual(changes.bans, { added: [], removed: ["203.0.113.200/32"], changed: [] });
  assert.deepEqual(changes.aliases, { added: [], removed: [], changed: [] });
});

test("restores the databases and settings of the snapshot, and keeps the replaced ones", async (t) => {
  const { layout, snapshot } = await upgraded(t);
  const { mode, uid } = statSync(dirname(layout.engineDb));
  put(layout.settingsInForce, "tls.cert = 0\n");
  const aside = rollBack(layout, snapshot, later(NOW, HOUR_MS));
  assert.deepEqual(versions(layout), [1, 1]);
  assert.equal(contentOf(layout.settings), OLD_SETTINGS);
  assert.ok(!existsSync(layout.settingsInForce), "a start may use older settings, even none");
  assert.equal(contentOf(join(aside, "settings-in-force.toml")), "tls.cert = 0\n");
  assert.equal(modeOf(layout.settings), 0o640);
  for (const path of [layout.engineDb, layout.accountsDb]) {
    const names = readdirSync(dirname(path)).filter((name) => !/-(?:wal|shm)$/.test(name));
    assert.deepEqual(names, [basename(path)]);
  }
  assert.deepEqual([statSync(dirname(layout.engineDb)).mode, statSync(layout.engineDb).uid], [mode, uid]);
  using engine = new DatabaseSync(join(aside, "engine", "engine.db"), { readOnly: true });
  assert.equal(engine.prepare("SELECT count(*) AS n FROM event").get()?.["n"], 3);
  assert.match(contentOf(join(aside, "ghostinbox.toml")), /report\.mail/);
  // The older program continues, and the next upgrade makes its own snapshot.
  assert.ok((await makeUpgradeSnapshot(layout, later(NOW, 2 * HOUR_MS))) !== null);
  assert.ok(existsSync(join(aside, "accounts", "accounts.db")), "which deletes nothing that was set aside");
});

test("sessions of the dashboard are not restored", async (t) => {
  const { layout, snapshot } = await upgraded(t);
  const copy = join(layout.beforeUpgrade, snapshot.directory, basename(layout.accountsDb));
  rmSync(copy);
  const before = openAccounts(copy);
  before.exec("INSERT INTO session VALUES ('d', 'id', 'Firefox', '203.0.113.7', 1, 1, 1, NULL)");
  before.close();
  rollBack(layout, snapshot, NOW);
  using accounts = new DatabaseSync(layout.accountsDb, { readOnly: true });
  assert.equal(accounts.prepare("SELECT count(*) AS n FROM session").get()?.["n"], 0);
});

for (const [what, file, ifNone] of [
  ["edits taken from the script are rolled back with the settings", "adoptedScript", "{}"],
  ["which ADMIN_PASSWORD was used is rolled back with the password", "firstStartDone", '{"a":"since"}'],
] as const)
  test(what, async (t) => {
    const { layout, snapshot } = await upgraded(t);
    const [path, name] = [layout[file], basename(layout[file])];
    put(path, '{"a":"since"}');
    const aside = rollBack(layout, snapshot, NOW);
    assert.equal(contentOf(path).trim(), ifNone, "the snapshot has none");
    if (ifNone === "{}") assert.equal(contentOf(join(aside, name)), '{"a":"since"}');
    put(join(layout.beforeUpgrade, snapshot.directory, name), '{"a":"before"}');
    rollBack(layout, snapshot, later(NOW, HOUR_MS));
    assert.equal(contentOf(path), '{"a":"before"}');
  });

for (const [moved, by] of [0, 1, 2].flatMap((renames) => ["start", "retry"].map((by) => [renames, by] as const)))
  test(`a rollback killed after ${moved} of its renames is finished by a ${by}`, async (t) => {
    const { layout, snapshot } = await upgraded(t);
    rollBack(layout, snapshot, NOW);
    // Restores the state before, between or after the two renames of the first directory.
    const [database, aside] = [dirname(layout.engineDb), join(layout.beforeUpgrade, "after-20261121T120000Z")];
    renameSync(database, `${database}.rollback`);
    if (moved === 0) renameSync(join(aside, "engine"), database);
    if (moved === 2) renameSync(`${database}.rollback`, database);
    put(layout.rollback, JSON.stringify({ aside: "after-20261121T120000Z" }));
    assert.equal(startedAside(layout), aside);
    if (by === "start") assert.equal(finishRollback(layout), true);
    else assert.equal(rollBack(layout, snapshot, later(NOW, HOUR_MS)), aside);
    assert.deepEqual(versions(layout), [1, 1]);
    assert.equal(startedAside(layout), null);
    assert.ok(existsSync(join(aside, "engine", "engine.db")));
    assert.equal(finishRollback(layout), false, "once");
  });

test("a rollback that had not started is dropped: a start uses the present state", async (t) => {
  const { layout } = await upgraded(t);
  const made = [`${dirname(layout.engineDb)}.rollback`, `${layout.settings}.rollback`] as const;
  mkdirSync(made[0]);
  put(made[1], "");
  const before = versions(layout);
  assert.equal(finishRollback(layout), false);
  assert.deepEqual(versions(layout), before);
  assert.ok(!made.some((path) => existsSync(path)));
});

test("a rollback whose record cannot be read changes nothing more", async (t) => {
  const { layout } = await upgraded(t);
  const place = dirname(layout.engineDb);
  renameSync(place, `${place}.rollback`);
  put(layout.rollback, "{");
  assert.throws(() => finishRollback(layout), /^SetUpFailure: A restore or rollback was interrupted/);
  assert.ok(existsSync(join(`${place}.rollback`, "engine.db")));
});

test("a snapshot that lacks a database is not used", async (t) => {
  const { layout, snapshot } = await upgraded(t);
  assert.equal(whyNoRollback(layout, snapshot), null);
  rmSync(join(layout.beforeUpgrade, snapshot.directory, "accounts.db"));
  assert.equal(whyNoRollback(layout, snapshot), "The snapshot lacks accounts.db, which was damaged then.");
});

test("a path on a separate mount is refused before anything is changed", async (t) => {
  const { layout, snapshot } = await upgraded(t);
  const at = (point: string): string => `30 20 8:1 / ${point} rw,relatime shared:1 - ext4 /dev/sdb1 rw\n`;
  const why = (point: string): string | null => whyNoRollback(layout, snapshot, at(join(layout.data, point)));
  for (const point of ["db", "db/engine", "db/accounts", "ghostinbox.toml", "before-upgrade"])
    assert.match(why(point) ?? "", /^\S+ is a separate mount or not on the disk of \S+before-upgrade, /, point);
  for (const point of ["mail", "", "db/engine-of-others"]) assert.equal(why(point), null, point);
});

test("a path on a different disk is refused", { skip: ELSEWHERE === null && NO_OTHER_DISK }, async (t) => {
  const { layout, snapshot } = await upgraded(t);
  const elsewhere = temporaryDirectory(ELSEWHERE ?? "");
  const db = dirname(dirname(layout.engineDb));
  cpSync(db, elsewhere, { recursive: true });
  rmSync(db, { recursive: true });
  symlinkSync(elsewhere, db);
  assert.match(whyNoRollback(layout, snapshot) ?? "", /^\S+\/db\/engine is a separate mount or not on the disk of /);
});
