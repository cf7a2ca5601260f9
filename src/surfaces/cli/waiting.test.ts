import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { withWaiting } from "./run.ts";

test("announces a slow answer once, and a fast one never", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const said: string[] = [];
    const { promise, resolve } = Promise.withResolvers<KeeperReply>();
    const { keeper } = withWaiting(
      {
        guard: { ask: () => assert.fail(), watch: () => assert.fail() },
        keeper: { ask: async ({ verb }) => (verb === "ping" ? { ok: true, detail: "" } : promise) },
        reader: () => assert.fail(),
      },
      { progress: (text) => said.push(text) },
    );
    await keeper.ask({ verb: "ping" });
    mock.timers.tick(60_000);
    assert.deepEqual(said, []);
    const asked = keeper.ask({ verb: "apply" });
    mock.timers.tick(60_000);
    resolve({ ok: true, detail: "" });
    await asked;
    mock.timers.tick(60_000);
    assert.deepEqual(said, ["Waiting for the server ..."]);
  } finally {
    mock.timers.reset();
  }
});
