import assert from "node:assert/strict";
import { test } from "node:test";
import { ALERT_BODY, type KeeperCommand, type KeeperReply, parseKeeperCommand } from "../../admin/declare/keeper.ts";
import { instant } from "../../core/time.ts";
import { testMessage } from "../../guard/alerts/words.ts";
import { ownQueue } from "./channels.ts";

function keeper(reply: KeeperReply) {
  const asked: KeeperCommand[] = [];
  const ask = (command: KeeperCommand): Promise<KeeperReply> => {
    asked.push(command);
    return Promise.resolve(reply);
  };
  return { asked, send: ownQueue({ ask }, "en") };
}

test("an alert goes to the keeper in words that its grammar takes, however long it is", async () => {
  const { asked, send } = keeper({ ok: true, detail: "" });
  const message = testMessage(instant(Date.UTC(2026, 10, 20)), "en");
  const long = { ...message, title: `half a pair \ud800`, body: "é\n".repeat(ALERT_BODY) };
  for (const one of [message, long]) assert.deepEqual(await send(one), { ok: true });
  assert.equal(asked.length, 2);
  for (const command of asked) assert.deepEqual(parseKeeperCommand(JSON.stringify(command)), command);
});

test("why the keeper could not is why it was not sent", async () => {
  const { send } = keeper({ ok: false, reason: "The keeper hung up." });
  const outcome = await send(testMessage(instant(0), "en"));
  assert.deepEqual(outcome, { ok: false, reason: "The keeper hung up." });
});
