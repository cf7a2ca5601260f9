import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, OWNER } from "../../../../test/kit/commands-kit.ts";
import { mailAddress } from "../../../../test/kit/samples.ts";
import type { Command } from "../../../admin/declare/control.ts";

const ALICE = "alice@example.test";

const kit = commandsOf(import.meta.filename, ALICE);

function addAlias(address: string, ...targets: readonly string[]): Promise<string> {
  return kit.said({ verb: "alias_add", address, targets });
}

test("an alias leads to accounts, other aliases and other servers", async () => {
  const added = await kit.result({ verb: "alias_add", address: "Info@example.test", targets: [ALICE] });
  assert.deepEqual(added, { address: "info@example.test", targets: [ALICE], blocked: false });
  assert.equal(await addAlias("sales@example.test", "info@example.test", "someone@elsewhere.test"), "done");
  const { items } = kit.accountLists.aliases({ limit: 500, cursor: null });
  const aliases = items.map(({ address, targets, blocked }) => [address, targets, blocked]);
  assert.deepEqual(aliases, [
    ["info@example.test", [ALICE], false],
    ["sales@example.test", ["info@example.test", "someone@elsewhere.test"], false],
  ]);
  assert.deepEqual(kit.types().slice(1), ["ALIAS_ADDED", "ALIAS_ADDED"]);
});

test("an alias leads neither to a missing address nor back to itself", async () => {
  const next = " `account list` and `alias list` show the addresses.";
  const missing = `failed nobody@example.test is neither an account nor an alias here.${next}`;
  assert.equal(await addAlias("info@example.test", "nobody@example.test"), missing);
  const back = (by: string) => `failed Mail for info@example.test would return to it through ${by}.${next}`;
  assert.equal(await addAlias("info@example.test", "info@example.test"), back("info@example.test"));
  assert.equal(await addAlias("sales@example.test", "info@elsewhere.test"), "done");
  assert.equal(await addAlias("info@example.test", "sales@example.test"), "done");
  assert.match(await addAlias("sales@example.test", "info@example.test"), /return to it through info@example/);
  assert.match(await addAlias("more@example.test", ALICE, "nobody@example.test"), /^failed nobody@/);
});

test("only an existing alias may have other characters", async () => {
  const odd = mailAddress("o'brien@example.test");
  assert.match(await addAlias(odd, ALICE), /^usage o'brien@example\.test may have only letters, digits and \. _ \+ - /);
  for (const sign of "#$&*=?^{}~") assert.match(await addAlias(`a${sign}b@example.test`, ALICE), /^usage /, sign);
  assert.ok(kit.accounts.addAlias(odd, [mailAddress(ALICE)]).ok);
  assert.equal(await addAlias(odd, "someone@elsewhere.test"), "done");
});

test("an alias is blocked, unblocked and removed, and each change is recorded", async () => {
  const address = "info@example.test";
  assert.equal(await addAlias(address, ALICE), "done");
  const isBlocked = () => kit.accountLists.aliases({ limit: 500, cursor: null }).items.map(({ blocked }) => blocked);
  assert.equal(await kit.said({ verb: "alias_block", address, blocked: true }), "done");
  assert.deepEqual(isBlocked(), [true]);
  assert.equal(await kit.said({ verb: "alias_block", address, blocked: false }), "done");
  assert.deepEqual(isBlocked(), [false]);
  assert.equal(await kit.said({ verb: "alias_remove", address }), "done");
  assert.deepEqual(isBlocked(), []);
  assert.deepEqual(kit.types().slice(2), ["ALIAS_BLOCKED", "ALIAS_UNBLOCKED", "ALIAS_REMOVED"]);
  assert.match(await kit.said({ verb: "alias_remove", address }), /^failed There is no alias .* `alias list` shows/);
  // The owner is asked to remove the aliases of a domain that the settings no longer name.
  assert.equal(await addAlias(address, ALICE), "done");
  kit.engine.setPolicy({ ...kit.engine.policy, domains: ["elsewhere.test"] });
  assert.equal(await kit.said({ verb: "alias_block", address, blocked: true }), "done");
  assert.equal(await kit.said({ verb: "alias_remove", address }), "done");
});

test("the reply to further targets of an alias has the earlier ones, and whether it is blocked", async () => {
  const [address, bob, carl] = ["info@example.test", "bob@elsewhere.test", "carl@elsewhere.test"];
  const add = (...targets: readonly string[]) => kit.result({ verb: "alias_add", address, targets });
  await add(ALICE);
  assert.deepEqual(await add(bob), { address, targets: [ALICE, bob], blocked: false });
  assert.equal(await kit.said({ verb: "alias_block", address, blocked: true }), "done");
  assert.deepEqual(await add(bob, carl), { address, targets: [ALICE, bob, carl], blocked: true });
});

test("no alias reaches more addresses than Postfix delivers to, directly or through other aliases", async () => {
  // Adds as many targets at a time as a command may have.
  const list = async (name: string, count: number): Promise<string> => {
    const targets = Array.from({ length: count }, (_, i) => `${name}${i}@elsewhere.test`);
    let last = "done";
    for (let i = 0; i < count && last === "done"; i += 100)
      last = await addAlias(`${name}@example.test`, ...targets.slice(i, i + 100));
    return last;
  };
  assert.equal(await list("one", 500), "done");
  assert.match(await list("one-more", 501), /may have at most 500 targets/);
  assert.equal(await list("two", 499), "done");
  assert.equal(await addAlias("all@example.test", "one@example.test", "two@example.test"), "done");
  assert.equal(await addAlias("all@example.test", ALICE), "done", "a thousand");
  const most = "Postfix accepts no mail for more than 1000. `alias list` shows the aliases.";
  const says = `failed Mail for all@example.test would go to 1001 addresses: ${most}`;
  assert.equal(await addAlias("two@example.test", "someone@elsewhere.test"), says);
  assert.match(await addAlias("all@example.test", "someone@elsewhere.test"), /1001 addresses/);
});

test("through the web no alias diverts mail of an account, or the alerts of postmaster@", async () => {
  kit.signIn(OWNER);
  const web = (command: Command): Promise<string> => kit.said(command, "web", OWNER);
  const targets = [ALICE];
  const owned = "alice+bank@example.test";
  assert.match(await web({ verb: "alias_add", address: owned, targets }), /belongs to alice@example\.test/);
  assert.equal(await web({ verb: "alias_add", address: "sales+eu@example.test", targets }), "done");
  for (const target of [ALICE, "sales@elsewhere.test"])
    assert.equal(await web({ verb: "alias_add", address: "sales@example.test", targets: [target] }), "done");
  const address = "postmaster@example.test";
  for (const one of [address, "postmaster+alerts@example.test"])
    assert.match(await web({ verb: "alias_add", address: one, targets }), /gets the alerts/, one);
  assert.equal(await addAlias(address, ALICE), "done", "root may");
  assert.match(await web({ verb: "alias_remove", address }), /gets the alerts/);
  assert.match(await web({ verb: "alias_block", address, blocked: true }), /gets the alerts/);
  kit.networks.serve({ domains: ["example.test"], administrator: null, refused: [], networks: [] });
  const abuse = "abuse@example.test";
  kit.given.alertsTo = [abuse];
  for (const one of [abuse, "abuse+alerts@example.test"])
    assert.match(await web({ verb: "alias_add", address: one, targets }), /gets the alerts/, one);
  assert.equal(await addAlias(abuse, ALICE), "done", "root may");
  assert.equal(await addAlias(owned, ALICE), "done");
  kit.given.alertsTo = [owned];
  assert.match(await web({ verb: "alias_remove", address: owned }), /gets the alerts/);
  assert.match(await web({ verb: "alias_block", address: owned, blocked: true }), /gets the alerts/);
  kit.given.alertsTo = [];
  assert.equal(await web({ verb: "alias_remove", address: owned }), "done");
});
