import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { put } from "../../../../../test/kit/files.ts";
import { ROOT } from "../../../../../test/kit/needs.ts";
import { becomeNextVersion, writeOldDatabases, writeToday } from "../../../../../test/kit/next-version.ts";
import { noPackageLists } from "../../../../../test/kit/no-package-lists.ts";
import { script, scriptCall } from "../../../../../test/kit/script-world.ts";
import { commandLineOf } from "../../../../../test/kit/test-guard.ts";
import { instant } from "../../../../core/time.ts";
import { releaseLock, takeLock } from "../../../../host/running/data-directory.ts";
import { MAIN_UNIT, UNIT_HEAD } from "../../../../host/running/systemd.ts";
import { makeUpgradeSnapshot } from "../../../../jobs/upgrade/upgrade-snapshot.ts";
import { connect } from "../../../../programs/command-line/connect.ts";
import { openAccounts, openEngine } from "../../../../store/open.ts";
import { schemasOf } from "../../../../store/schemas.ts";
import { planUpgrade, printPlan, type UpgradePlan, waitingOf } from "./upgrade.ts";

noPackageLists();
const { layout, run, does, fails } = commandLineOf(import.meta.filename);

const ENGINE = { name: "engine.db", schema: 1, becomes: 1 };
const NONE = { programs: [], neededBytes: null, components: [], otherPackages: 0, obstacles: [] };
const NOTHING: UpgradePlan = { ...NONE, version: { installed: "0.1.0", here: "0.1.0" }, databases: [ENGINE] };

test("says so if nothing changes", () => {
  assert.deepEqual(printPlan(NOTHING).split("\n"), [
    "Programs   0.1.0 was last started; a restart starts 0.1.0: nothing changes",
    "engine.db  schema 1 stays",
    "Debian     0 other packages waiting",
    "Restart    not needed",
  ]);
});

test("each change is listed, with the snapshot and the restart", () => {
  const plan: UpgradePlan = {
    ...NOTHING,
    version: { installed: null, here: "0.2.0" },
    programs: ["guard.js", "web.js"],
    databases: [{ ...ENGINE, becomes: 2 }],
    neededBytes: 70 * 1024 * 1024,
    components: [{ service: "postfix", packages: ["postfix 3.7.11"] }],
    otherPackages: null,
  };
  assert.deepEqual(printPlan(plan).split("\n"), [
    "Programs   an unknown version was last started; a restart starts 0.2.0: 2 files would be replaced",
    "engine.db  schema 1 becomes 2",
    "Snapshot   made before, for `./ghostinbox rollback`; 70 MB are needed",
    "postfix    waits for `apt-get --with-new-pkgs upgrade`: postfix 3.7.11",
    "Debian     apt-get could not be run",
    "Restart    every service, once; mail programs connect again",
  ]);
  assert.match(printPlan(plan, true), /^postfix {4}waits for `docker compose build .*`: postfix 3\.7\.11$/m);
});

test("packages are listed by the component that runs them", () => {
  const of = (name: string) => ({ name, version: "2", isSecurity: false });
  const packages = ["postfix-sqlite", "zsh", "dovecot-imapd", "dovecot-core"].map(of);
  assert.deepEqual(waitingOf({ known: true, listsAt: null, isImage: false, packages }), {
    components: [
      { service: "dovecot", packages: ["dovecot-core 2", "dovecot-imapd 2"] },
      { service: "postfix", packages: ["postfix-sqlite 2"] },
    ],
    otherPackages: 1,
  });
  assert.deepEqual(waitingOf({ known: false, reason: "no apt" }), { components: [], otherPackages: null });
});

test("for an old data directory, lists the changes and the obstacles", ROOT, async (t) => {
  becomeNextVersion(t);
  assert.equal((await run("upgrade")).code, 2);
  writeToday("engine", layout.engineDb);
  writeFileSync(layout.settings, 'domains = ["example.org"]\nlimits.mail.per_minuet = 3\n');
  const blocked = await run("upgrade --check");
  assert.equal(blocked.code, 1);
  assert.match(blocked.err, /^Programs .* a restart starts .* \(commit [0-9a-f]{8}\): /m);
  assert.match(blocked.err, /^engine\.db +schema 1 becomes 2$/m);
  assert.match(blocked.err, /^Restart +every service, once/m);
  const says = /^- limits\.mail\.per_minuet is not a setting; the nearest is limits\.mail\.per_minute\.$/m;
  assert.match(blocked.err, says);
  assert.match(blocked.err, /The new version would not start\. Fix that/);
  assert.equal(schemasOf(layout)[0]?.version, 1);
});

test(
  "a package's next start is checked with the variables of its unit and file, not those of the last start or the shell",
  ROOT,
  async () => {
    const [name, file] = ["GHOSTINBOX_LIMITS__MAIL__PER_MINUTE", join(layout.data, "default")];
    writeFileSync(layout.settings, 'domains = ["example.org"]\n');
    put(join(layout.environment, name), "many");
    const obstacles = async (text: string, ofUnit = ""): Promise<readonly string[]> => {
      writeFileSync(file, text);
      const call = scriptCall({ layout, env: { [name]: "many" } });
      return (await planUpgrade(call, file, () => Promise.resolve(ofUnit), [layout.data])).obstacles;
    };
    for (const good of ["", `# ${name}=many\n; ${name}=many\n`, `${name}=many\n${name} = "7" \n`, `${name}=7\\\n0\n`])
      assert.deepEqual(await obstacles(good), [], good);
    for (const bad of ["many", "7 # a minute", "'7x'"])
      assert.match((await obstacles(`A=\\\\\n${name}=${bad}`)).join(), /PER_MINUTE/, bad);
    for (const edited of [`A=b ${name}=many\n`, `"A=\\"b c" "${name}=7 a" B=\n`, `"${name}=\\"7\\""\n`])
      assert.match((await obstacles("", edited)).join(), /PER_MINUTE/, edited);
    assert.deepEqual(await obstacles(`${name}=7`, `${name}=many\n`), [], "the file comes last");
    assert.deepEqual(await obstacles("", `"A=b ${name}=many" ${name}=7\n`), []);
    writeFileSync(join(layout.data, MAIN_UNIT), `${UNIT_HEAD}\nEnvironment=GHOSTINBOX_DATA=${layout.data}\n`);
    const variable = `GHOSTINBOX_DATA=${layout.data}`;
    for (const same of [variable, `${variable}/`]) assert.deepEqual(await obstacles(same, variable), []);
    assert.match(
      (await obstacles("GHOSTINBOX_DATA=/srv/mail", variable)).join(),
      /^GHOSTINBOX_DATA names \/srv\/mail, /,
    );
    const missing = await planUpgrade(scriptCall({ layout }), join(layout.data, "none"));
    assert.deepEqual(missing.obstacles, []);
  },
);

async function upgraded(t: TestContext): Promise<void> {
  writeOldDatabases(t, layout);
  await makeUpgradeSnapshot(layout, instant(Date.UTC(2026, 10, 21, 12)));
  openEngine(layout.engineDb).close();
  using accounts = openAccounts(layout.accountsDb);
  accounts.exec(`
    INSERT INTO account (name, password, created_at) VALUES ('new@example.test', '{X}y', 1);
    INSERT INTO admin_totp VALUES (1, zeroblob(20), 1, 1);
    INSERT INTO account_key VALUES ('new@example.test', 'id', 1, 'public', 'locked', '{X}y', 'recoverable')`);
}

const versions = (): readonly number[] => schemasOf(layout).map(({ version }) => version);

test("without an upgrade there is nothing to go back to", ROOT, async () => {
  await fails("rollback --yes", /^No snapshot to go back to: .* the version that you had before can start without one/);
});

test("says what is newer than the snapshot, asks, and goes back", ROOT, async (t) => {
  await upgraded(t);
  const newest = versions();

  takeLock(layout.startPid);
  await fails("rollback --yes", /already running .* Stop it first: `GHOSTINBOX_DATA=\S+ \.\/ghostinbox stop`\n$/);
  releaseLock(layout.startPid);

  const unasked = await run("rollback");
  assert.equal(unasked.code, 2);
  const says = /^The snapshot is from 2026-11-21 12:00 UTC \(engine\.db of schema 1, accounts\.db of schema 1\)\.$/m;
  assert.match(unasked.err, says);
  assert.match(unasked.err, /^Since then: 0 events, which will be missing\.$/m);
  assert.match(unasked.err, /^ {2}accounts: 1 added \(new@example\.test\)$/m);
  assert.match(unasked.err, /^ {2}second factors: 1 added \(authenticator app\)$/m);
  assert.match(unasked.err, /^Mail of new@example\.test that was encrypted with a key made since then can no longer/m);
  assert.match(unasked.err, /There is no terminal to confirm on, so nothing was changed/);
  assert.deepEqual(versions(), newest);

  const done = await does("rollback --yes --json");
  assert.deepEqual(versions(), [1, 1]);
  assert.match(done, /"events": ?0\b/);
  assert.match(done, /"newKeys": \[\s+"new@example\.test"/);
  assert.match(done, /"settingsChanged": ?false/);
});

test("nothing is rolled back once another container has started, which keeps its lock", ROOT, async (t) => {
  await upgraded(t);
  const newest = versions();
  const others = "4194305 12345 1\n";
  const ask = (): Promise<string> => {
    writeFileSync(layout.startPid, others);
    return Promise.resolve("y");
  };
  const env = { PATH: process.env["PATH"], GHOSTINBOX_DATA: layout.data };
  const asked = await script(["rollback"], { env, now: Date.now, person: { interactive: true, ask }, connect });
  assert.match(asked.err, /started in the meantime: nothing was changed\. Stop it: /);
  assert.deepEqual([asked.code, versions(), readFileSync(layout.startPid, "utf8")], [1, newest, others]);
});

test("the only copy of keys is named once more at the end", ROOT, async (t) => {
  await upgraded(t);
  const says = await does("rollback --yes");
  assert.match(says, /^Keep the accounts\.db in it: it alone has the keys/m);
  assert.match(
    says,
    /^Install the version that you had before, then start it: GHOSTINBOX_DATA=\S+ npm start\. The newer/m,
  );
});

test("a missing settings file is named", ROOT, async (t) => {
  await upgraded(t);
  rmSync(layout.settings);
  assert.match((await run("rollback --yes")).err, /^The rollback failed: .*ghostinbox\.toml'\. Fix that/m);
});

test("an unreadable database does not prevent a rollback", ROOT, async (t) => {
  await upgraded(t);
  writeFileSync(layout.engineDb, "This is a letter to the editor. ".repeat(200));
  const ran = await run("rollback --yes");
  assert.match(ran.err, /^What was recorded since cannot be read: .*not a database/m);
  assert.equal(ran.code, 0, ran.err);
  const says = /The former ones are in \S+\/before-upgrade\/after-\w+ \(\d+\.\d [KM]B\) until you delete it\./;
  assert.match(ran.out, says);
  assert.deepEqual(versions(), [1, 1]);
});

test("a damaged record of an interrupted rollback is reported with what to do", ROOT, async (t) => {
  await upgraded(t);
  writeFileSync(layout.rollback, "{");
  await fails("rollback --yes", /^A restore or rollback was interrupted, and .* then delete that file\.\n$/);
});
