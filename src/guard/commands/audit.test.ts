import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory } from "../../../test/kit/commands-kit.ts";

test("lists the audit from the newest entry back, and reading it leaves no trace", async () => {
  const { ask, types } = commandsOnMemory();
  for (const [at, name] of ["one", "two", "three"].entries())
    await ask({ verb: "token_create", name, digest: `${at}`.repeat(64), scopes: ["read"], for: null });
  const recorded = types();
  const page = async (cursor: string | null) => {
    const reply = await ask({ verb: "audit_list", limit: 2, cursor });
    assert.ok(reply.ok && "items" in reply.result && "next" in reply.result);
    const { items, next } = reply.result;
    return [items.map((item) => ("actor" in item ? `${item.type} ${item.subject} ${item.actor}` : "")), next];
  };
  const shown = (name: string): string => `TOKEN_CREATED ${name} root`;
  assert.deepEqual(await page(null), [[shown("three"), shown("two")], "2"]);
  assert.deepEqual(await page("2"), [[shown("one")], null]);
  assert.deepEqual(types(), recorded);
});
