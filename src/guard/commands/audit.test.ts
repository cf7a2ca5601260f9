import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory } from "../../../test/kit/commands-kit.ts";

test("lists the audit from the newest entry back, and reading it leaves no trace", async () => {
  const { ask, result, types } = commandsOnMemory();
  for (const [at, name] of ["one", "two", "three"].entries())
    await ask({ verb: "token_create", name, digest: `${at}`.repeat(64), scopes: ["read"], for: null });
  const recorded = types();
  const page = async (cursor: string | null) => {
    const { items, next } = await result({ verb: "audit_list", limit: 2, cursor });
    return [items.map(({ type, subject, actor }) => `${type} ${subject} ${actor}`), next];
  };
  const shown = (name: string): string => `TOKEN_CREATED ${name} root`;
  assert.deepEqual(await page(null), [[shown("three"), shown("two")], "2"]);
  assert.deepEqual(await page("2"), [[shown("one")], null]);
  assert.deepEqual(types(), recorded);
});

test("what root records is an event and an entry of the audit", async () => {
  const kit = commandsOnMemory();
  for (const [type, subject] of [
    ["INCIDENT", "2026-11-20-anna isolate: The world is\nshut out."],
    ["LEGAL_HOLD_SET", "alice@example.test"],
    ["FIREWALL_ROLLED_BACK", "every port"],
  ] as const) {
    assert.deepEqual(await kit.ask({ verb: "record", type, subject }), { ok: true, result: { done: true } });
    assert.deepEqual([kit.types().at(-1), kit.details().at(-1)], [type, `${subject.replace("\n", "\\x0a")} by root`]);
    const { items } = await kit.result({ verb: "audit_list", limit: 1, cursor: null });
    assert.partialDeepStrictEqual(items, [{ type, subject: subject.replace("\n", "\\x0a"), actor: "root" }]);
  }
});
