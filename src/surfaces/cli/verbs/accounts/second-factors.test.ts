import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { guardOfSuite, json, PASSWORD, TIMED } from "../../../../../test/kit/test-guard.ts";
import { instant } from "../../../../core/time.ts";
import { SqliteFactors, SqlitePasskeys } from "../../../../store/accounts-db/factors.ts";
import { openAccounts } from "../../../../store/open.ts";

describe("second factors on the command line", TIMED, () => {
  const { layout, run } = guardOfSuite();

  function setUp(): void {
    using accounts = openAccounts(layout.accountsDb);
    const at = instant(Date.now());
    new SqliteFactors(accounts).setTotp({ secret: Buffer.alloc(20, 1), lastStep: 0, at, recovery: ["a"] });
  }

  test("a new password leaves them and says so, and reset-2fa removes them", async () => {
    setUp();
    const changed = await run("admin passwd --password-stdin", `${PASSWORD} 7\n`);
    assert.match(changed.out, /password was changed\. The second factor stays\. `.*admin reset-2fa` removes it\./);
    const reset = await run("admin reset-2fa");
    assert.match(reset.out, /^The dashboard's second factor was removed\. 0 sessions ended\. The password alone/);
    const none = { factors: 0, ended: 0, passkeyNames: [] };
    assert.deepEqual(json(await run("admin reset-2fa --json")), none);
    const again = await run("admin passwd --password-stdin", `${PASSWORD} 8\n`);
    assert.doesNotMatch(again.out, /second factor/);
  });

  test("passkeys are named: a new password leaves them too", async () => {
    using accounts = openAccounts(layout.accountsDb);
    const key = { id: "A".repeat(22), publicKey: Buffer.alloc(91, 1), algorithm: -7, counter: 0 };
    const passkey = { ...key, name: "Laptop", at: instant(Date.now()) };
    assert.deepEqual(new SqlitePasskeys(accounts).add(passkey), { ok: true });
    const changed = await run("admin passwd --password-stdin", `${PASSWORD} 9\n`);
    assert.match(changed.out, /These passkeys stay, and need no password: Laptop\. `.*admin reset-2fa` removes them\./);
    const reset = await run("admin reset-2fa");
    assert.match(reset.out, /^Passkeys removed: Laptop\. 0 sessions ended\./);
    assert.match((await run("events --type PASSKEY_REMOVED")).out, /Laptop/);
  });

  test("`incident contain --dashboard` removes them with the password: someone else may have set one up", async () => {
    setUp();
    await run("incident open Taken over");
    const contained = await run("incident contain --dashboard --yes");
    assert.match(contained.out, /password was changed\.\n(.*\n)*The dashboard's second factor was removed\./);
    using accounts = openAccounts(layout.accountsDb);
    assert.equal(new SqliteFactors(accounts).totp(), null);
  });
});
