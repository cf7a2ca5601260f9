import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../../../test/kit/commands.ts";
import { commandsOf, HASH } from "../../../../test/kit/commands-kit.ts";
import { DAY_MS } from "../../../core/time.ts";

const kit = commandsOf(import.meta.filename);

test("a token is created and revoked by its name, which is plain and short", async () => {
  const create = (name: string) => kit.said({ ...COMMANDS.token_create, name });
  const longest = "a".repeat(64);
  assert.deepEqual(await kit.result({ ...COMMANDS.token_create, name: longest }), { name: longest });
  for (const wrong of ["", `${longest}a`, "a b", "ä"]) assert.match(await create(wrong), /^usage /, wrong);
  assert.match(await create(longest), /^failed /);
  assert.ok((await kit.ask({ verb: "token_revoke", name: longest })).ok);
  const missing = await kit.said({ verb: "token_revoke", name: longest });
  assert.match(missing, /^failed There is no token .* `token list`/);
  assert.deepEqual(kit.types(), ["TOKEN_CREATED", "TOKEN_REVOKED"]);
});

test("the record of a new token has its rights and its expiry", async () => {
  const make = (name: string, scopes: string[], lasts: string | null) =>
    kit.ask({ ...COMMANDS.token_create, name, digest: name.padEnd(64, "0"), scopes, for: lasts });
  assert.ok((await make("a", ["viewer"], "90d")).ok);
  assert.ok((await make("b", ["read", "ban"], null)).ok);
  const end = new Date(kit.clock.now() + 90 * DAY_MS).toISOString();
  assert.deepEqual(kit.details(), [`a (read, until ${end}) by root`, "b (read,ban, without an end) by root"]);
});

test("the dashboard's password is changed, hashed, and the change is recorded", async () => {
  assert.deepEqual(await kit.ask({ verb: "admin_set_hash", hash: HASH }), { ok: true, result: { done: true } });
  assert.deepEqual(kit.details(), ["admin by root"]);
});
