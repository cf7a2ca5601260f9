import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { commandsOnMemory, HASH } from "../../../test/kit/commands-kit.ts";
import type { Command } from "../../wire/control/control.ts";

const ALICE = "alice@example.test";

let kit: ReturnType<typeof commandsOnMemory>;
beforeEach(async () => {
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
