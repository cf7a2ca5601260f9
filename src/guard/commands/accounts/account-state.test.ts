import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../../../test/kit/commands.ts";
import { commandsOnMemory, HASH } from "../../../../test/kit/commands-kit.ts";
import { TOKEN } from "../../../../test/kit/fake-guard.ts";
import { ip } from "../../../../test/kit/samples.ts";

const ANNA = "anna@example.test";

test("an account's state combines its row and what the guard knows; null for a missing account", async () => {
  const kit = commandsOnMemory();
  const as = { as: TOKEN, ip: "203.0.113.9" };
  assert.ok((await kit.ask(COMMANDS.token_create)).ok);
  const stateOf = async (name: string): Promise<unknown> => {
    const reply = await kit.result({ verb: "account_state", name }, "web", as);
    return reply.state;
  };
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
  await kit.engine.ask({
    type: "LOGIN_SUCCEEDED",
    ip: ip("203.0.113.9"),
    service: "imap",
    login: ANNA,
    passwordHash: "right",
  });
  assert.ok((await kit.ask({ verb: "account_suspend", name: ANNA })).ok);
  assert.partialDeepStrictEqual(await stateOf(ANNA), { suspended: true, known: ["203.0.113.9/32"] });
});
