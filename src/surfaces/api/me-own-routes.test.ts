import assert from "node:assert/strict";
import { test } from "node:test";
import { signIn, startKit } from "../../../test/kit/api-kit.ts";

const ANNA = "anna@example.org";
const APP = "me/app-passwords";
const VACATION = "me/vacation";
const FORWARDING = "me/forwarding";

async function fresh(t: Parameters<typeof startKit>[0]) {
  const kit = await startKit(t);
  const headers = { cookie: await signIn(kit, ANNA), origin: kit.url, "content-type": "application/json" };
  const send = (method: string, path: string, body?: unknown) => kit.send(method, path, body, headers);
  return { kit, send };
}

test("app passwords are listed, made and removed, each by its name", async (t) => {
  const { kit, send } = await fresh(t);
  const listed = { id: "Annas Laptop", name: "Annas Laptop", made: "2026-11-20T12:00:00.000Z", lastUsed: null };
  kit.guard.answers("app_passwords", { items: [listed] });
  kit.guard.answers("app_password_add", { name: ANNA, app: "phone", password: "once" });
  kit.guard.answers("app_password_remove", { name: ANNA, app: "Annas Laptop" });
  assert.deepEqual(await send("GET", APP), { status: 200, answer: { items: [listed] } });
  const made = { id: "phone", name: "phone", password: "once" };
  assert.deepEqual(await send("POST", APP, { name: "phone" }), { status: 201, answer: made });
  assert.deepEqual(kit.guard.of("app_password_add"), [{ verb: "app_password_add", name: ANNA, app: "phone" }]);
  assert.deepEqual(await send("DELETE", `${APP}/Annas%20Laptop`), { status: 200, answer: { id: "Annas Laptop" } });
  assert.deepEqual(kit.guard.of("app_password_remove"), [
    { verb: "app_password_remove", name: ANNA, app: "Annas Laptop" },
  ]);
  for (const body of [{}, { name: "x".repeat(41) }, { name: "phone", account: "bert@example.org" }])
    assert.equal((await send("POST", APP, body)).status, 400);
});

test("forwarding is shown, set and ended, and no request names an account", async (t) => {
  const { kit, send } = await fresh(t);
  assert.deepEqual(await send("GET", FORWARDING), { status: 200, answer: { to: [], keep: true } });
  const wanted = { to: ["anna@else.example"], keep: false };
  kit.guard.answers("forwarding", wanted);
  kit.guard.answers("forward_set", { name: ANNA, ...wanted });
  assert.deepEqual(await send("GET", FORWARDING), { status: 200, answer: wanted });
  assert.deepEqual(await send("PUT", FORWARDING, wanted), { status: 200, answer: { name: ANNA, ...wanted } });
  await send("DELETE", FORWARDING);
  assert.deepEqual(kit.guard.of("forward_set"), [
    { verb: "forward_set", name: ANNA, ...wanted },
    { verb: "forward_set", name: ANNA, to: [], keep: true },
  ]);
  for (const body of [
    {},
    { to: [], keep: true },
    { ...wanted, name: ANNA },
    { ...wanted, account: "bert@example.org" },
  ])
    assert.equal((await send("PUT", FORWARDING, body)).status, 400);
});

test("a vacation reply is shown, set and ended, and no request names an account", async (t) => {
  const { kit, send } = await fresh(t);
  assert.deepEqual(await send("GET", VACATION), { status: 200, answer: { vacation: null } });
  const vacation = { subject: "Away", text: "Back on Monday.", until: "2099-12-24T00:00:00.000Z" };
  kit.guard.answers("vacation", { vacation });
  kit.guard.answers("vacation_set", { name: ANNA, vacation });
  assert.deepEqual(await send("GET", VACATION), { status: 200, answer: { vacation } });
  assert.deepEqual(await send("PUT", VACATION, vacation), { status: 200, answer: { name: ANNA, vacation } });
  await send("PUT", VACATION, { text: "ü".repeat(4_000) });
  await send("DELETE", VACATION);
  assert.deepEqual(kit.guard.of("vacation_set"), [
    { verb: "vacation_set", name: ANNA, ...vacation },
    { verb: "vacation_set", name: ANNA, subject: "", text: "ü".repeat(4_000), until: null },
    { verb: "vacation_set", name: ANNA, subject: "", text: null, until: null },
  ]);
  for (const body of [{}, { text: "" }, { text: "x".repeat(8_001) }, { ...vacation, account: "bert@example.org" }])
    assert.equal((await send("PUT", VACATION, body)).status, 400);
});
