import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { before, describe, test } from "node:test";
import { OWN_ETC, OwnEtc } from "../../../test/kit/own-etc.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { hashPassword, verifyPassword } from "../../adapters/accounts/password-hash.ts";
import { Credentials } from "../../adapters/sqlite/accounts-db/admin.ts";
import { openEngineForReading } from "../../adapters/sqlite/open.ts";
import { layoutOf } from "../../settings/layout.ts";
import { CHECKOUT } from "./checkout.ts";
import { installPrograms } from "./program.ts";

const PASSWORD = "correct horse battery";
const USERS = [
  "ghostinbox",
  "ghostinbox-mail",
  "ghostinbox-fail2ban",
  "postfix",
  "postgrey",
  "ghostinbox-accounts",
  "ghostinbox-data",
  "ghostinbox-logs",
  "_rspamd",
  "debian-spamd",
  "spamass-milter",
];

/** By the guard's own program, as the guard's own user. */
describe("the databases", OWN_ETC, () => {
  const layout = layoutOf(temporaryDirectory());
  const etc = new OwnEtc();
  const prepare = (hash: string | null): Promise<unknown> =>
    etc.call(["src/daemon/set-up/databases.ts", "prepareDatabases", layout, hash, { GHOSTINBOX_DATA: layout.data }]);
  before(async () => {
    chmodSync(layout.data, 0o755);
    for (const [i, name] of USERS.entries()) etc.add(name, 61_000 + i);
    await etc.call(["src/daemon/set-up/directories.ts", "makeDirectories", layout]);
    await installPrograms(CHECKOUT, layout);
  });

  test("are made by the guard's user, with the password of the dashboard", async () => {
    assert.equal(await prepare(await hashPassword(PASSWORD)), null);
    for (const [file, group] of [
      [layout.engineDb, "ghostinbox-data"],
      [layout.accountsDb, "ghostinbox-accounts"],
    ] as const) {
      const { uid, gid } = statSync(file);
      assert.deepEqual([uid, gid], [etc.numberOf("passwd", "ghostinbox"), etc.numberOf("group", group)], file);
    }
    assert.ok(existsSync(`${layout.accountsDb}-wal`), "Postfix and Dovecot could not read it without");
    using engine = openEngineForReading(layout.engineDb);
    assert.ok(await verifyPassword(new Credentials(engine).adminPasswordHash() ?? "", PASSWORD));
  });

  test("keep the password when there is no new one", async () => {
    assert.equal(await prepare(null), null);
    using engine = openEngineForReading(layout.engineDb);
    assert.ok(await verifyPassword(new Credentials(engine).adminPasswordHash() ?? "", PASSWORD));
  });

  test("that cannot be opened stop the start with the guard's own sentence", async () => {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${layout.accountsDb}${end}`, { force: true });
    mkdirSync(layout.accountsDb);
    const said = JSON.stringify(await prepare(null));
    assert.match(said, /SetUpFailure: .*accounts\.db/);
    assert.doesNotMatch(said, /\bat .*\.js:\d/);
  });
});
