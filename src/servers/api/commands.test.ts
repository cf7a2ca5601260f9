import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeGuard } from "../../../test/kit/api-kit.ts";
import { command } from "./commands.ts";

test("each kind of answer of the guard becomes its own status", async () => {
  const guard = new FakeGuard();
  const status = async (): Promise<unknown> => {
    const answer = await command(guard, "ci", { verb: "unban", target: "203.0.113.7" }, ({ prefix }) => prefix);
    return answer instanceof Response ? answer.status : answer;
  };
  guard.replies.set("unban", { ok: true, result: { prefix: "203.0.113.7/32" } });
  assert.equal(await status(), "203.0.113.7/32");
  guard.replies.set("unban", { ok: false, kind: "usage", message: "No address.", next: "" });
  assert.equal(await status(), 400);
  guard.replies.set("unban", { ok: false, kind: "failed", message: "Not banned.", next: "" });
  assert.equal(await status(), 409);
  guard.isDown = true;
  assert.equal(await status(), 503);
});
