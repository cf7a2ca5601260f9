import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { ip } from "../../../../../test/kit/samples.ts";
import { scriptCall } from "../../../../../test/kit/script-world.ts";
import { guardOfSuite, json, PASSWORD, TIMED } from "../../../../../test/kit/test-guard.ts";
import { parseAccountName } from "../../../../core/net/address.ts";
import { instant } from "../../../../core/time.ts";
import { connect } from "../../../../programs/command-line/connect.ts";
import { sqliteFactors, sqlitePasskeys } from "../../../../store/accounts-db/factors.ts";
import { sqliteSessions } from "../../../../store/accounts-db/sessions.ts";
import { openAccounts } from "../../../../store/open.ts";
import { accountRemove } from "./accounts.ts";

describe("sessions, tokens and second factors on the command line", TIMED, () => {
  const { layout, run, fails, does } = guardOfSuite();
  const at = instant(Date.now());
  const signIn = (id: string, account = ""): void => {
    using accounts = openAccounts(layout.accountsDb);
    const of = { device: "Firefox on Linux", ip: ip("203.0.113.7"), at, account: parseAccountName(account) };
    sqliteSessions(accounts).open({ digest: id, id, ...of });
  };
  before(async () => {
    for (const id of ["0a0a0a0a0a0a", "0b0b0b0b0b0b", "0c0c0c0c0c0c"]) signIn(id);
    signIn("0e0e0e0e0e0e", "anna@example.org");
  });

  test("sessions are listed and ended, one or all", async () => {
    const listed = async () => does("session list");
    const says =
      /^SESSION +OF +USED +SINCE +FROM +DEVICE\n0a0a0a0a0a0a +the administrator .* 203\.0\.113\.7 +Firefox on Linux/;
    assert.match(await listed(), says);
    assert.match(await listed(), /\n0e0e0e0e0e0e +anna@example\.org .* Firefox on Linux/);
    assert.match(await does("session list --limit 1"), /… and 3 more/);
    assert.doesNotMatch(await does("session list --limit 9"), /more/);
    assert.match(await does("session end 0e0e0e0e0e0e"), /0e0e0e0e0e0e has ended/);
    assert.doesNotMatch(await listed(), /anna@example/);
    assert.match(await does("session end 0b0b0b0b0b0b"), /0b0b0b0b0b0b has ended/);
    assert.doesNotMatch(await listed(), /0b0b/);
    await fails("session end 0b0b0b0b0b0b", / `\.\/ghostinbox session list` shows the/);
    for (const wrong of ["session end", "session end 0a0a0a0a0a0a --all"]) assert.equal((await run(wrong)).code, 2);
    assert.match(await does("session end --all"), /^2 sessions ended\./);
    assert.match(await listed(), /No one is signed in/);
  });

  test("a token says what it may do, until when, and when it was used", async () => {
    const made = json(await run("token create grafana --scope viewer --for 90d --json"));
    assert.partialDeepStrictEqual(made, { scopes: ["read"] });
    await run("token create ci");
    await run("token create all --scope owner");
    const { out } = await run("token list");
    assert.match(out, /^TOKEN +SCOPES +EXPIRES +USED +CREATED +BY\nall +everything +never +never /);
    assert.match(out, /\nci +read,ban,allow,greylist +never +never /);
    assert.match(out, /\ngrafana +read +20\d\d-\d\d-\d\d .* never /);
    assert.equal((await run("token create x --scope root")).code, 2);
  });

  const setUpFactor = (): void => {
    using accounts = openAccounts(layout.accountsDb);
    sqliteFactors(accounts).setTotp({ secret: Buffer.alloc(20, 1), lastStep: 0, at, recovery: ["a"] });
  };

  test("a new password leaves the second factor and says so, and reset-2fa removes it", async () => {
    setUpFactor();
    const changed = await run("admin passwd --password-stdin", `${PASSWORD} 7\n`);
    assert.match(changed.out, /password was changed\. The second factor stays\. `.*admin reset-2fa` removes it\./);
    const reset = await run("admin reset-2fa");
    assert.match(reset.out, /^The dashboard's second factor was removed\. 0 sessions ended\. The password alone/);
    assert.deepEqual(json(await run("admin reset-2fa --json")), { factors: 0, ended: 0, passkeyNames: [] });
    assert.doesNotMatch(await does("admin passwd --password-stdin", `${PASSWORD} 8\n`), /second factor/);
  });

  test("a new password leaves passkeys too, and names them", async () => {
    using accounts = openAccounts(layout.accountsDb);
    const key = { id: "A".repeat(22), publicKey: Buffer.alloc(91, 1), algorithm: -7, counter: 0 };
    assert.deepEqual(sqlitePasskeys(accounts).add({ ...key, name: "Laptop", at }), { ok: true });
    const changed = await run("admin passwd --password-stdin", `${PASSWORD} 9\n`);
    assert.match(changed.out, /These passkeys stay, and need no password: Laptop\. `.*admin reset-2fa` removes them\./);
    assert.match(await does("admin reset-2fa"), /^Passkeys removed: Laptop\. 0 sessions ended\./);
    assert.match(await does("events --type PASSKEY_REMOVED"), /Laptop/);
  });

  test("`incident contain --dashboard` removes the second factor with the password: someone else may have set one up", async () => {
    setUpFactor();
    await run("incident open Taken over");
    const contained = await run("incident contain --dashboard --yes");
    assert.match(contained.out, /password was changed\.\n(.*\n)*The dashboard's second factor was removed\./);
    using accounts = openAccounts(layout.accountsDb);
    assert.equal(sqliteFactors(accounts).totp(), null);
  });
});

describe("an account that is to be removed", TIMED, () => {
  const [anna, bert] = ["anna@example.org", "bert@example.org"];
  const { layout } = guardOfSuite({ accounts: [anna, bert] });
  const asked = async (name: string): Promise<string> => {
    let question = "";
    const ask = (text: string) => {
      question = text;
      return Promise.resolve("n");
    };
    const call = scriptCall({ layout, args: [name], terminal: { interactive: true, ask }, ...connect(layout, {}) });
    assert.equal((await accountRemove(call)).ok, false);
    return question;
  };

  test("is reported if it gets the mail of postmaster@", async () => {
    using accounts = openAccounts(layout.accountsDb);
    accounts.exec("INSERT INTO served (domain) VALUES ('example.org') ON CONFLICT DO NOTHING");
    const says =
      /It receives mail for postmaster@ and abuse@, and often alerts\. The first other account that can sign in/;
    assert.match(await asked(anna), says);
    assert.doesNotMatch(await asked(bert), /postmaster|aliases/);
  });

  test("is reported if accounts.administrator has it or its alias in a domain that is not served: its mail would leave", async () => {
    const file = readFileSync(layout.settings, "utf8");
    using accounts = openAccounts(layout.accountsDb);
    accounts.exec(`INSERT INTO alias (address, target) VALUES ('admin@example.org', '${bert}')`);
    const says = /domain of `accounts\.administrator` is not in `domains`: whoever has it would get mail/;
    for (const administrator of [bert, "bert+role@example.org", "admin@example.org"]) {
      writeFileSync(layout.settings, `domains = ["else.test"]\naccounts.administrator = "${administrator}"\n`);
      assert.match(await asked(bert), says, administrator);
      assert.doesNotMatch(await asked(anna), says);
    }
    accounts.exec("DELETE FROM alias");
    writeFileSync(layout.settings, file);
    assert.doesNotMatch(await asked(bert), says);
  });

  test("aliases that lead only to it, and accounts that forward to them, are named", async () => {
    using accounts = openAccounts(layout.accountsDb);
    accounts.exec(`INSERT INTO alias (address, target) VALUES
      ('info@example.org', '${bert}'), ('team@example.org', '${anna}'), ('team@example.org', '${bert}')`);
    accounts.exec(`INSERT INTO forward (account, target) VALUES ('${anna}', 'info@example.org')`);
    const question = await asked(bert);
    const aliases = /Aliases that lead only to it are removed too: info@example\.org\./;
    assert.match(question, aliases);
    assert.match(question, /These accounts will no longer forward mail to it: anna@example\.org\./);
    const call = scriptCall({ layout, args: [bert], flags: ["yes"], ...connect(layout, {}) });
    const removed = await accountRemove(call);
    assert.match(removed.ok ? removed.text : removed.message, aliases);
  });
});
