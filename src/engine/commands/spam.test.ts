import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { commandsOnMemory, HASH } from "../../../test/kit/commands-kit.ts";

let kit: ReturnType<typeof commandsOnMemory>;
beforeEach(() => {
  kit = commandsOnMemory();
});

test("a sender is let in for an account that exists, once, and the filter is told each time", async () => {
  const name = "owner@example.test";
  await kit.ask({ verb: "account_add", name, hash: HASH });
  const add = (to: string, sender: string) => kit.ask({ verb: "spam_allow_add", account: to, sender });
  const added = await add(name, "*@Friend.example");
  assert.deepEqual(added, { ok: true, result: { account: name, sender: "*@friend.example" } });
  for (const [to, sender, kind] of [
    [name, "*@friend.example", "failed"],
    ["nobody@example.test", "*@friend.example", "failed"],
    [name, "friend.example", "usage"],
    ["owner", "*@friend.example", "usage"],
  ] as const) {
    const reply = await add(to, sender);
    assert.ok(!reply.ok && reply.kind === kind, `${to} ${sender}`);
  }
  const listed = await kit.ask({ verb: "spam_allow_list", limit: 50, cursor: null });
  assert.ok(listed.ok && "senders" in listed.result);
  assert.deepEqual(
    listed.result.senders.map(({ account: who, sender, by }) => [who, sender, by]),
    [[name, "*@friend.example", "root"]],
  );
  const remove = { verb: "spam_allow_remove", account: name, sender: "*@friend.example" } as const;
  assert.equal((await kit.ask(remove)).ok, true);
  assert.equal((await kit.ask(remove)).ok, false);
  assert.equal(kit.refreshed(), 2);
  assert.deepEqual(kit.types().slice(1), ["SPAM_ALLOW_ADDED", "SPAM_ALLOW_REMOVED"]);
});
