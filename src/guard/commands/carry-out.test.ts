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

test("commands of a session or a mailbox are refused without one", async () => {
  for (const command of Object.values(COMMANDS).filter(({ verb }) => /^(my|passkey|prove)_/.test(verb))) {
    const reply = await commandsOnMemory().ask(command, "web");
    assert.ok(command.verb === "passkey_challenge" ? reply.ok : !reply.ok, command.verb);
  }
});
