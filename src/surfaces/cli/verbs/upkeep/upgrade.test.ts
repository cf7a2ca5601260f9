import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { put } from "../../../../../test/kit/files.ts";
import { ROOT } from "../../../../../test/kit/needs.ts";
import { becomeNextVersion, writeToday } from "../../../../../test/kit/next-version.ts";
import { noPackageLists } from "../../../../../test/kit/no-package-lists.ts";
import { scriptCall } from "../../../../../test/kit/script-world.ts";
import { dataDirectory, ghostinbox } from "../../../../../test/kit/test-guard.ts";
import { MAIN_UNIT, UNIT_HEAD } from "../../../../host/running/systemd.ts";
import { schemasOf } from "../../../../store/schemas.ts";
import { planUpgrade, printPlan, type UpgradePlan, waitingOf } from "./upgrade.ts";

noPackageLists();

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
  using layout = dataDirectory();
  assert.equal((await ghostinbox(layout, ["upgrade"])).code, 2);
  writeToday("engine", layout.engineDb);
  writeFileSync(layout.settings, 'domains = ["example.org"]\nlimits.mail.per_minuet = 3\n');
  const blocked = await ghostinbox(layout, ["upgrade", "--check"]);
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
    using layout = dataDirectory();
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
