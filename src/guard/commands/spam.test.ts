import assert from "node:assert/strict";
import { test } from "node:test";
import { parsedCommandOf } from "../../../test/kit/commands.ts";
import { commandsOf, HASH } from "../../../test/kit/commands-kit.ts";
import { accountsOnMemory, engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { accountName } from "../../../test/kit/samples.ts";
import { spamAllow } from "./spam.ts";

const kit = commandsOf(import.meta.filename);

test("a sender is allowed once for an existing account, and the filter is refreshed each time", async () => {
  const name = "owner@example.test";
  await kit.ask({ verb: "account_create_hashed", name, hash: HASH });
  const add = { verb: "spam_allow_add", account: name, sender: "*@friend.example" } as const;
  const before = kit.given.listsRefreshed;
  const added = await kit.ask({ ...add, sender: "*@Friend.example" });
  assert.equal(kit.given.listsRefreshed, before + 1);
  assert.deepEqual(added, { ok: true, result: { account: name, sender: "*@friend.example" } });
  for (const account of [name, "nobody@example.test"])
    assert.match(await kit.said({ ...add, account }), /^failed /, account);
  const listed = await kit.result({ verb: "spam_allow_list", limit: 50, cursor: null });
  const allowed = listed.items.map(({ account, sender, by }) => [account, sender, by]);
  assert.deepEqual(allowed, [[name, "*@friend.example", "root"]]);
  const remove = { ...add, verb: "spam_allow_remove" } as const;
  assert.equal((await kit.ask(remove)).ok, true);
  assert.equal((await kit.ask(remove)).ok, false);
  assert.deepEqual(kit.types().slice(1), ["SPAM_ALLOW_ADDED", "SPAM_ALLOW_REMOVED"]);
});

test("the web allows only senders with a written domain, and a bounded number of them", async () => {
  const { engine, db, clock } = engineOnMemory();
  const { accounts, senders } = accountsOnMemory(db);
  const parts = { engine, clock, senders };
  const add = async (account: string, sender: string, by = "web:anna") => {
    const command = parsedCommandOf({ verb: "spam_allow_add", account, sender });
    assert.ok(command.verb === "spam_allow_add");
    const reply = await spamAllow(parts, command, by);
    return reply.ok ? "done" : reply.message;
  };
  const names = Array.from({ length: 11 }, (_, i) => `u${i}@example.test`);
  for (const name of names) assert.ok(accounts.add(accountName(name), HASH, clock.now()).ok);
  const [first = "", ...others] = names;
  for (const wide of ["*@*", "*@*.*", "*@*.com", "*@com", "*@frie?d.example", "a@*friend.example", "*@*.*.example"])
    assert.match(await add(first, wide), /too wide for the dashboard/, wide);
  const slow = `${"*a".repeat(9)}*c*@friend.example`;
  for (const by of ["web:anna", `mailbox:${first} via 198.51.100.7`])
    assert.match(await add(first, slow, by), /at most one \* before the @/);
  for (const sender of ["*@*", slow]) assert.equal(await add(first, sender, "root"), "done");
  for (const sender of ["n*s@friend.example", "*@*.friend.example"]) assert.equal(await add(first, sender), "done");
  for (let i = 2; i < 50; i++) assert.equal(await add(first, `*@d${i}.example`), "done");
  assert.match(await add(first, "*@d50.example"), /reached their maximum/);
  for (const name of others.slice(0, 9))
    for (let i = 0; i < 50; i++) assert.equal(await add(name, `*@d${i}.example`), "done");
  assert.match(await add(others[9] ?? "", "*@d0.example"), /reached their maximum/);
  assert.equal(await add(first, "*@d50.example", "root"), "done");
});
