import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory, HASH } from "../../../../test/kit/commands-kit.ts";
import { guess } from "../../../../test/kit/engine-events.ts";
import { ip } from "../../../../test/kit/samples.ts";

const ANNA = "anna@example.test";

test("an account's state combines its row and what the guard knows; null for a missing account", async () => {
  const kit = commandsOnMemory();
  const stateOf = async (name: string): Promise<unknown> => (await kit.result({ verb: "account_state", name })).state;
  assert.equal(await stateOf(ANNA), null);
  assert.equal(await stateOf("no address"), null);
  assert.ok((await kit.ask({ verb: "account_create_hashed", name: ANNA, hash: HASH })).ok);
  assert.partialDeepStrictEqual(await stateOf("Anna@Example.test"), {
    name: ANNA,
    suspended: false,
    origin: "command",
    networks: [],
    quotaBytes: null,
    guarded: null,
    held: null,
    known: [],
  });
  await kit.engine.ask({ ...guess("right", ip("203.0.113.9")), login: ANNA, type: "LOGIN_SUCCEEDED" });
  assert.ok((await kit.ask({ verb: "account_suspend", name: ANNA })).ok);
  assert.partialDeepStrictEqual(await stateOf(ANNA), { suspended: true, known: ["203.0.113.9/32"] });
});
