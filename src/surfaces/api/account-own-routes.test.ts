import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bearer, startKit } from "../../../test/kit/api-kit.ts";

const ANNA = "anna@example.org";
const VACATION = { subject: "Away", text: "Back on Monday.", until: "2099-12-24T00:00:00.000Z" };
const FORWARDING = { to: ["anna@else.example"], keep: false };

async function started(t: TestContext) {
  const kit = await startKit(t);
  const send = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    kit.send(method, `accounts/${ANNA}${path}`, body, { ...bearer, ...headers });
  return { kit, send };
}

test("app passwords are listed with who made them, made and removed", async (t) => {
  const { kit, send } = await started(t);
  const [madeAt, madeBy] = ["2026-11-20T12:00:00.000Z", `mailbox:${ANNA} via 203.0.113.66`];
  const listed = { id: "Annas Laptop", name: "Annas Laptop", made: madeAt, madeBy, lastUsed: null };
  kit.guard.answers("app_passwords", { items: [listed] });
  kit.guard.answers("app_password_add", { name: ANNA, app: "phone", password: "once" });
  kit.guard.answers("app_password_remove", { name: ANNA, app: "Annas Laptop" });
  assert.deepEqual(await send("GET", "/app-passwords"), { status: 200, answer: { items: [listed] } });
  const made = { id: "phone", name: "phone", password: "once" };
  assert.deepEqual(await send("POST", "/app-passwords", { name: "phone" }), { status: 201, answer: made });
  const removed = { status: 200, answer: { id: "Annas Laptop" } };
  assert.deepEqual(await send("DELETE", "/app-passwords/Annas%20Laptop"), removed);
  assert.deepEqual(
    kit.guard.asked.map(({ command }) => command),
    [
      { verb: "app_passwords", name: ANNA },
      { verb: "app_password_add", name: ANNA, app: "phone" },
      { verb: "app_password_remove", name: ANNA, app: "Annas Laptop" },
    ],
  );
});

test("an app password is made once with a key, and is not kept for the repetition", async (t) => {
  const { kit, send } = await started(t);
  kit.guard.answers("app_password_add", { name: ANNA, app: "phone", password: "once" });
  const key = { "idempotency-key": "one" };
  assert.equal((await send("POST", "/app-passwords", { name: "phone" }, key)).status, 201);
  const again = await send("POST", "/app-passwords", { name: "phone" }, key);
  assert.partialDeepStrictEqual(again, { status: 409, answer: { code: "key_done" } });
  assert.equal(kit.guard.of("app_password_add").length, 1);
});

test("forwarding is shown, set and ended", async (t) => {
  const { kit, send } = await started(t);
  assert.deepEqual(await send("GET", "/forwarding"), { status: 200, answer: { to: [], keep: true } });
  kit.guard.answers("forwarding", FORWARDING);
  kit.guard.answers("forward_set", { name: ANNA, ...FORWARDING });
  assert.deepEqual(await send("GET", "/forwarding"), { status: 200, answer: FORWARDING });
  assert.deepEqual(await send("PUT", "/forwarding", FORWARDING), {
    status: 200,
    answer: { name: ANNA, ...FORWARDING },
  });
  await send("DELETE", "/forwarding");
  assert.deepEqual(kit.guard.of("forward_set"), [
    { verb: "forward_set", name: ANNA, ...FORWARDING },
    { verb: "forward_set", name: ANNA, to: [], keep: true },
  ]);
});

test("a vacation reply is shown, set and ended", async (t) => {
  const { kit, send } = await started(t);
  assert.deepEqual(await send("GET", "/vacation"), { status: 200, answer: { vacation: null } });
  kit.guard.answers("vacation_set", { name: ANNA, vacation: VACATION });
  assert.deepEqual(await send("PUT", "/vacation", VACATION), {
    status: 200,
    answer: { name: ANNA, vacation: VACATION },
  });
  await send("PUT", "/vacation", { text: "ü".repeat(4_000) });
  await send("DELETE", "/vacation");
  assert.deepEqual(kit.guard.of("vacation_set"), [
    { verb: "vacation_set", name: ANNA, ...VACATION },
    { verb: "vacation_set", name: ANNA, subject: "", text: "ü".repeat(4_000), until: null },
    { verb: "vacation_set", name: ANNA, subject: "", text: null, until: null },
  ]);
});

test("nothing is shown of a missing account, and invalid requests never reach the guard", async (t) => {
  const { kit, send } = await started(t);
  for (const verb of ["app_passwords", "forwarding", "vacation"] as const)
    kit.guard.refuses(verb, "There is none.", { isMissing: true });
  for (const path of ["/app-passwords", "/forwarding", "/vacation"])
    assert.partialDeepStrictEqual(await send("GET", path), { status: 404, answer: { code: "not_found" } }, path);
  const asked = kit.guard.asked.length;
  for (const [method, path, body] of [
    ["POST", "/app-passwords", { name: "x".repeat(41) }],
    ["PUT", "/forwarding", { to: [], keep: true }],
    ["PUT", "/vacation", { text: "" }],
    ["PUT", "/vacation", { text: null }],
    ["GET", "/vacation/now"],
  ] as const) {
    const { status } = await send(method, path, body);
    assert.ok(status === 400 || status === 404, `${method} ${path}`);
  }
  assert.equal(kit.guard.asked.length, asked);
});
