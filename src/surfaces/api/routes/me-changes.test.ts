import assert from "node:assert/strict";
import { test } from "node:test";
import { type Kit, signIn, startKit } from "../../../../test/kit/api-kit.ts";

const ANNA = "anna@example.org";

function send(kit: Kit, cookie: string, [method, path, body]: readonly [string, string, object?]) {
  return kit.send(method, `me/${path}`, body, { cookie });
}

test("each change reaches the guard for the mailbox of the session", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit, ANNA);
  const allowed = { account: ANNA, sender: "*@friend.example" };
  kit.guard.answers("my_password", { done: true });
  kit.guard.answers("greylist_resume", { target: ANNA });
  kit.guard.answers("my_sessions_end", { ended: 2 });
  const pause = { target: ANNA, until: "2026-11-20T07:15:00.000Z", by: `mailbox:${ANNA} via 127.0.0.1` };
  kit.guard.answers("greylist_pause", pause);
  for (const verb of ["spam_allow_add", "spam_allow_remove"] as const) kit.guard.answers(verb, allowed);
  const before = kit.guard.asked.length;
  for (const [sent, status, answer] of [
    [["POST", "password", { password: "quite new words" }], 200, { done: true }],
    [["DELETE", "sessions"], 200, { ended: 2 }],
    [["POST", "senders", { sender: "*@friend.example" }], 201, allowed],
    [["DELETE", "senders?sender=*@friend.example"], 200, allowed],
    [["POST", "greylist-pause", { for: "15m" }], 200, pause],
    [["POST", "greylist-pause", {}], 200, pause],
    [["DELETE", "greylist-pause"], 200, { done: true }],
  ] as const)
    assert.deepEqual(await send(kit, cookie, sent), { status, answer });
  assert.deepEqual(
    kit.guard.asked
      .slice(before)
      .filter(({ by }) => by === "web" || by.isDry !== true)
      .map(({ command }) => command),
    [
      { verb: "my_password", password: "quite new words" },
      { verb: "my_sessions_end" },
      { verb: "spam_allow_add", ...allowed },
      { verb: "spam_allow_remove", ...allowed },
      { verb: "greylist_pause", recipient: ANNA, for: "15m" },
      { verb: "greylist_pause", recipient: ANNA, for: null },
      { verb: "greylist_resume", recipient: ANNA },
    ],
  );
});

test("a password that is easy to guess, or a request that names an account, does not reach it", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit, ANNA);
  kit.guard.answers("my_password", { done: true });
  const before = kit.guard.asked.length;
  for (const sent of [
    ["POST", "password", { password: "weak" }],
    ["POST", "password", { password: "quite new words", account: "bert@example.org" }],
    ["POST", "senders", { sender: "*@friend.example", account: "bert@example.org" }],
    ["POST", "senders", { sender: "friend.example" }],
    ["DELETE", "senders?sender=*@friend.example&account=bert@example.org"],
    ["POST", "greylist-pause", { for: "soon" }],
    ["POST", "greylist-pause", { recipient: "bert@example.org" }],
  ] as const)
    assert.equal((await send(kit, cookie, sent)).status, 400, JSON.stringify(sent));
  const asked = kit.guard.asked.slice(before);
  assert.deepEqual(
    asked.map(({ by }) => by !== "web" && by.isDry),
    [true],
    "only whether the first one may be set",
  );
});

test("a password that may not be set is never judged", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit, ANNA);
  const judge = t.mock.method(kit.parts.passwords, "judge");
  kit.guard.refuses("my_password", "", { denied: "proof_needed" });
  const { status } = await send(kit, cookie, ["POST", "password", { password: "quite new words" }]);
  assert.equal(status, 403);
  assert.equal(judge.mock.callCount(), 0);
});
