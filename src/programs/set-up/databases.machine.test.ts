import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { before, describe, test } from "node:test";
import { OWN_ETC, OwnEtc } from "../../../test/kit/own-etc.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { installPrograms } from "../../jobs/build/program.ts";
import { USERS } from "../../settings/layout.ts";
import { readCredentials } from "../../store/accounts-db/credentials.ts";
import { openAccounts, openAccountsForReading } from "../../store/open.ts";
import { hashPassword, verifyPassword } from "../../store/passwords/password-hash.ts";

const PASSWORD = "correct horse battery";
const OF_PACKAGES = ["postfix", "postgrey", "_rspamd", "debian-spamd", "spamass-milter"];

/** With the guard's own program, as the guard's own user. */
describe("the databases", OWN_ETC, () => {
  const layout = temporaryLayout();
  const etc = new OwnEtc();
  const prepare = (hash: string | null, onlyIfNone = false): Promise<unknown> => {
    const admin = hash === null ? null : { hash, onlyIfNone };
    const env = { GHOSTINBOX_DATA: layout.data };
    return etc.call(["src/programs/set-up/databases.ts", "prepareDatabases", layout, admin, env]);
  };
  before(async () => {
    chmodSync(layout.data, 0o755);
    for (const [i, name] of [...Object.values(USERS), ...OF_PACKAGES].entries()) etc.add(name, 61_000 + i);
    await etc.call(["src/mail/configuration/directories.ts", "makeDirectories", layout]);
    await installPrograms(layout);
  });

  test("are created by the guard's user, with the password of the dashboard", async () => {
    assert.equal(await prepare(await hashPassword(PASSWORD)), null);
    for (const [file, group] of [
      [layout.engineDb, "ghostinbox-data"],
      [layout.accountsDb, "ghostinbox-accounts"],
    ] as const) {
      const { uid, gid } = statSync(file);
      assert.deepEqual([uid, gid], [etc.numberOf("passwd", "ghostinbox"), etc.numberOf("group", group)], file);
    }
    assert.ok(existsSync(`${layout.accountsDb}-wal`), "without it, Postfix and Dovecot could not read the accounts");
    using accounts = openAccountsForReading(layout.accountsDb);
    assert.ok(await verifyPassword(readCredentials(accounts).adminPasswordHash() ?? "", PASSWORD));
  });

  test("keep the password if no new one is given", async () => {
    assert.equal(await prepare(null), null);
    using accounts = openAccountsForReading(layout.accountsDb);
    assert.ok(await verifyPassword(readCredentials(accounts).adminPasswordHash() ?? "", PASSWORD));
  });

  test("accept a password that an earlier start used only if none is stored", async () => {
    const stored = () => {
      using accounts = openAccountsForReading(layout.accountsDb);
      return readCredentials(accounts).adminPasswordHash();
    };
    const before = stored();
    const taken = await hashPassword("an earlier one");
    for (const end of ["", "-wal", "-shm"]) rmSync(`${layout.engineDb}${end}`);
    assert.equal(await prepare(taken, true), null);
    assert.equal(stored(), before);
    const accounts = openAccounts(layout.accountsDb);
    accounts.exec("DELETE FROM admin");
    accounts.close();
    assert.equal(await prepare(taken, true), null);
    assert.equal(stored(), taken);
  });

  test("stop the start with the guard's own sentence if they cannot be opened", async () => {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${layout.accountsDb}${end}`, { force: true });
    mkdirSync(layout.accountsDb);
    const said = JSON.stringify(await prepare(null));
    assert.match(said, /SetUpFailure: .*accounts\.db/);
    assert.doesNotMatch(said, /\bat .*\.js:\d/);
  });
});
