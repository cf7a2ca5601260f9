import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../../test/kit/commands.ts";
import { commandsOnMemory } from "../../../test/kit/commands-kit.ts";
import { rightsOf } from "../../admin/declare/rights.ts";

test("each command of root is carried out, or refused in a sentence", async () => {
  for (const command of Object.values(COMMANDS).filter(({ verb }) => rightsOf(verb).from.includes("root"))) {
    const reply = await commandsOnMemory().ask(command);
    if (reply.ok) continue;
    assert.ok(reply.message.endsWith("."), `${command.verb}: ${reply.message}`);
    assert.doesNotMatch(reply.message, /^It could not be done/, command.verb);
  }
});

/** Commands about an account that need not be there, or whose samples are refused for their passwords first. */
const NEED_NONE = /^(account_(create|set)|held_|legal_hold)/;

test("a command about what cannot be an account is wrong usage, about a missing one it fails, and neither changes anything", async () => {
  const kit = commandsOnMemory();
  const before = kit.state();
  for (const command of Object.values(COMMANDS)) {
    // The first reports the state of any text; the other two name a token and a passkey.
    if (!("name" in command) || /^(account_state|token|passkey)/.test(command.verb)) continue;
    const nonsense = await kit.said({ ...command, name: "nonsense" });
    assert.match(nonsense, /^usage The field "name" is not an account name/, command.verb);
    if (NEED_NONE.test(command.verb)) continue;
    assert.match(await kit.said({ ...command, name: "nobody@example.test" }), /^failed .*`account list`/, command.verb);
  }
  assert.equal(kit.state(), before);
});
