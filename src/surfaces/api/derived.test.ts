import assert from "node:assert/strict";
import { test } from "node:test";
import { AS_TOKEN, FakeGuard } from "../../../test/kit/fake-guard.ts";
import { command } from "./derived.ts";
import { Uncertain } from "./problem.ts";

test("each kind of answer of the guard becomes its own status", async () => {
  const guard = new FakeGuard();
  const status = async (): Promise<unknown> => {
    const answer = await command(guard, AS_TOKEN, { verb: "unban", target: "203.0.113.7" }, ({ prefix }) => prefix);
    return answer instanceof Response ? answer.status : answer;
  };
  guard.answers("unban", { prefix: "203.0.113.7/32" });
  assert.equal(await status(), "203.0.113.7/32");
  guard.replies.set("unban", { ok: false, kind: "usage", message: "No address.", next: "" });
  assert.equal(await status(), 400);
  guard.refuses("unban", "Not banned.");
  assert.equal(await status(), 409);
  guard.isDown = true;
  assert.equal(await status(), 503);
});

test("a guard that took the command and did not answer may have carried it out", async () => {
  const silent = { ok: false, kind: "unreachable", message: "late", mayBeDone: true } as const;
  const guard = { ask: () => Promise.resolve(silent) };
  const answer = await command(guard, AS_TOKEN, { verb: "unban", target: "203.0.113.7" }, ({ prefix }) => prefix);
  assert.ok(answer instanceof Uncertain);
  assert.equal(answer.status, 503);
});
