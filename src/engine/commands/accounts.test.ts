import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory, HASH } from "../../../test/kit/commands-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { parseIp } from "../../core/net/ip.ts";
import type { Command } from "../../wire/control/control.ts";
import { digestOf } from "../access/secrets.ts";

const ALICE = "alice@example.test";

let kit: ReturnType<typeof commandsOnMemory>;
beforeEachOf(import.meta.filename, async () => {
  kit = commandsOnMemory();
  assert.deepEqual(await kit.ask({ verb: "account_add", name: ALICE, hash: HASH }), {
    ok: true,
    result: { name: ALICE },
  });
});

/** `usage` or `failed` with the message; `done` if the command succeeded. */
async function said(command: Command): Promise<string> {
  const reply = await kit.ask(command);
  return reply.ok ? "done" : `${reply.kind} ${reply.message} ${reply.next}`;
}

function addAlias(address: string, ...targets: readonly string[]): Promise<string> {
  return said({ verb: "alias_add", address, targets });
}

test("a suspended account is suspended, a resumed one is not, and only the first loses its sessions", async () => {
  const isSuspended = () => kit.lists.accounts({ limit: 500, cursor: null }).items.map(({ suspended }) => suspended);
  assert.equal(await said({ verb: "account_suspend", name: ALICE }), "done");
  assert.deepEqual(isSuspended(), [true]);
  assert.deepEqual(kit.kept(), ["kick_account", "find_mail", "find_mail"]);
  assert.equal(await said({ verb: "account_resume", name: ALICE }), "done");
  assert.deepEqual(isSuspended(), [false]);
  assert.equal(kit.asked.length, 3);
});

test("an account is of a domain of this server when it is made; later its domain may have gone from the settings", async () => {
  kit.engine.setPolicy({ ...kit.engine.policy, domains: ["elsewhere.test"] });
  assert.match(
    await said({ verb: "account_add", name: "bea@example.test", hash: HASH }),
    /^failed example\.test is not a mail domain of this server \(elsewhere\.test\)\. Add it to `domains`/,
  );
  assert.equal(await said({ verb: "account_suspend", name: ALICE }), "done");
  assert.match(await addAlias("info@example.test", ALICE), /^failed example\.test is not a mail domain/);
});

test("a password comes with its scheme and hashed, as Dovecot reads it", async () => {
  const change = (hash: string) => said({ verb: "account_passwd", name: ALICE, hash });
  assert.equal(await change("{SHA512-CRYPT}$6$salt$hash"), "done");
  assert.equal(await change("{BLF-CRYPT.HEX}24326124"), "done");
  for (const wrong of ["", "secret", "{PLAIN}", "{}x", "{A B}x", "{PLAIN}\n", "{PLAIN} x"])
    assert.match(await change(wrong), /^usage The password must come hashed\./, wrong);
});

test("what becomes of an account's keys is on record, and keys recovered for an earlier password are refused", async () => {
  const keys = [{ id: "00ff", publicKey: "cA==", locked: "bA==", recoverable: "cg==" }];
  assert.equal(await said({ verb: "account_passwd", name: ALICE, hash: HASH, keys: [] }), "done");
  assert.deepEqual(kit.types(), ["ACCOUNT_ADDED", "PASSWORD_CHANGED"]);
  assert.equal(await said({ verb: "account_passwd", name: ALICE, hash: HASH, keys }), "done");
  assert.equal(await said({ verb: "account_passwd", name: ALICE, hash: `${HASH}1`, keys, recovers: true }), "done");
  const recorded = ["PASSWORD_CHANGED", "MAIL_KEY_MADE", "PASSWORD_CHANGED", "MAIL_KEYS_RECOVERED"];
  assert.deepEqual(kit.types().slice(2), recorded);
  assert.match(await said({ verb: "mail_keys_recover", name: ALICE, hash: HASH, keys }), /^failed .* another password/);
  assert.match(await said({ verb: "mail_keys_recover", name: "nonsense", hash: HASH, keys }), /^usage/);
  assert.equal(await said({ verb: "mail_keys_recover", name: ALICE, hash: `${HASH}1`, keys }), "done");
  assert.deepEqual(kit.types().slice(6), ["MAIL_KEYS_RECOVERED"]);
  assert.equal(kit.kept().at(-1), "kick_account");
});

test("a reply about an open session names the account and the reason", async () => {
  kit.keeperUp(false);
  assert.equal(
    await said({ verb: "account_suspend", name: ALICE }),
    `failed ${ALICE} is changed, but its open sessions go on: no answer ` +
      "Suspend the account once `status` shows the keeper: that ends them.",
  );
  assert.equal(kit.notices.raised.get("keeper_unreachable"), "no answer");
  kit.keeperUp(true);
  assert.equal(await said({ verb: "account_suspend", name: ALICE }), "done");
  assert.equal(kit.notices.raised.size, 0);
});

test("an alias leads to accounts, other aliases and other servers", async () => {
  assert.deepEqual(await kit.ask({ verb: "alias_add", address: "Info@example.test", targets: [ALICE] }), {
    ok: true,
    result: { address: "info@example.test" },
  });
  assert.equal(await addAlias("sales@example.test", "info@example.test", "someone@elsewhere.test"), "done");
  assert.deepEqual(
    kit.lists
      .aliases({ limit: 500, cursor: null })
      .items.map(({ address, targets, blocked }) => [address, targets, blocked]),
    [
      ["info@example.test", [ALICE], false],
      ["sales@example.test", ["info@example.test", "someone@elsewhere.test"], false],
    ],
  );
  assert.deepEqual(kit.types().slice(1), ["ALIAS_ADDED", "ALIAS_ADDED"]);
});

test("an alias leads neither nowhere nor back to itself", async () => {
  const next = " `account list` and `alias list` show who is there.";
  assert.equal(
    await addAlias("info@example.test", "nobody@example.test"),
    `failed nobody@example.test is neither an account nor an alias here.${next}`,
  );
  const back = (by: string) => `failed Mail for info@example.test would come back to it by way of ${by}.${next}`;
  assert.equal(await addAlias("info@example.test", "info@example.test"), back("info@example.test"));
  assert.equal(await addAlias("sales@example.test", "info@elsewhere.test"), "done");
  assert.equal(await addAlias("info@example.test", "sales@example.test"), "done");
  assert.match(await addAlias("sales@example.test", "info@example.test"), /come back to it by way of info@example/);
  assert.match(await addAlias("more@example.test", ALICE, "nobody@example.test"), /^failed nobody@/);
});

test("an alias without targets, or with one that is no address, is not made", async () => {
  assert.match(await addAlias("info@example.test"), /^usage “” is no mail address\./);
  assert.match(await addAlias("info@example.test", ALICE, "nonsense"), /^usage “alice@example\.test, nonsense” is no/);
  assert.match(await addAlias("nonsense", ALICE), /^usage “nonsense” is no mail address\./);
  assert.deepEqual(kit.lists.aliases({ limit: 500, cursor: null }).items, []);
});

test("an alias is blocked, let through again and removed, and each is on record", async () => {
  const address = "info@example.test";
  assert.equal(await addAlias(address, ALICE), "done");
  const isBlocked = () => kit.lists.aliases({ limit: 500, cursor: null }).items.map(({ blocked }) => blocked);
  assert.equal(await said({ verb: "alias_block", address, blocked: true }), "done");
  assert.deepEqual(isBlocked(), [true]);
  assert.equal(await said({ verb: "alias_block", address, blocked: false }), "done");
  assert.deepEqual(isBlocked(), [false]);
  assert.equal(await said({ verb: "alias_remove", address }), "done");
  assert.deepEqual(isBlocked(), []);
  assert.deepEqual(kit.types().slice(2), ["ALIAS_BLOCKED", "ALIAS_UNBLOCKED", "ALIAS_REMOVED"]);
  assert.match(await said({ verb: "alias_remove", address }), /^failed There is no alias .* `alias list` shows/);
});

test("no alias is told to be made where the record could not be kept", async () => {
  kit.fillDisk();
  assert.match(await addAlias("info@example.test", ALICE), /no record of it was kept/);
});

test("through the web no alias takes what belongs to an account, or the alerts of postmaster@", async () => {
  const secret = "5e".repeat(32);
  const ip = parseIp("203.0.113.7") ?? assert.fail();
  kit.sessions.open({ digest: digestOf(secret), id: "page", device: "Firefox", ip, at: kit.clock.now() });
  const web = async (command: Command): Promise<string> => {
    const reply = await kit.ask(command, "web", { as: secret, ip });
    return reply.ok ? "done" : reply.message;
  };
  const targets = [ALICE];
  const owned = "alice+bank@example.test";
  assert.match(await web({ verb: "alias_add", address: owned, targets }), /belongs to alice@example\.test/);
  assert.equal(await web({ verb: "alias_add", address: "sales+eu@example.test", targets }), "done");
  const address = "postmaster@example.test";
  assert.match(await web({ verb: "alias_add", address, targets }), /gets the alerts/);
  assert.equal(await addAlias(address, ALICE), "done", "root may");
  assert.match(await web({ verb: "alias_remove", address }), /gets the alerts/);
  assert.match(await web({ verb: "alias_block", address, blocked: true }), /gets the alerts/);
  assert.equal(await addAlias(owned, ALICE), "done");
  assert.equal(await web({ verb: "alias_remove", address: owned }), "done");
});
