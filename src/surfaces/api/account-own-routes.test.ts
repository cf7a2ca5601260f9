import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bearer, startKit } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN, tokenNamed } from "../../../test/kit/fake-guard.ts";

const ANNA = "anna@example.org";
const VACATION = { subject: "Away", text: "Back on Monday.", until: "2099-12-24T00:00:00.000Z" };
const FORWARDING = { to: ["anna@else.example"], keep: false };
const MISSING = { ok: false, kind: "failed", message: "There is none.", next: "", isMissing: true } as const;
const PROOF_NEEDED = { ok: false, kind: "failed", message: "Again.", next: "", denied: "proof_needed" } as const;

async function started(t: TestContext) {
  const kit = await startKit(t);
  const send = async (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const url = `${kit.url}/api/v1/accounts/${ANNA}${path}`;
    const response = await fetch(url, { method, headers: { ...bearer, ...headers }, ...content });
    const answer: unknown = await response.json();
    return { status: response.status, answer };
  };
  return { kit, send };
}

/** Every route, with a valid body and the resulting command. */
const ROUTES = [
  ["app_passwords", "GET", "/app-passwords"],
  ["app_password_add", "POST", "/app-passwords", { name: "phone" }],
  ["app_password_remove", "DELETE", "/app-passwords/phone"],
  ["forwarding", "GET", "/forwarding"],
  ["forward_set", "PUT", "/forwarding", FORWARDING],
  ["forward_set", "DELETE", "/forwarding"],
  ["vacation", "GET", "/vacation"],
  ["vacation_set", "PUT", "/vacation", VACATION],
  ["vacation_set", "DELETE", "/vacation"],
] as const;

test("app passwords are listed with who made them, made and removed", async (t) => {
  const { kit, send } = await started(t);
  const [madeAt, madeBy] = ["2026-11-20T12:00:00.000Z", `mailbox:${ANNA} via 203.0.113.66`];
  const listed = { id: "Annas Laptop", name: "Annas Laptop", made: madeAt, madeBy, lastUsed: null };
  kit.guard.replies.set("app_passwords", { ok: true, result: { items: [listed] } });
  kit.guard.replies.set("app_password_add", { ok: true, result: { name: ANNA, app: "phone", password: "once" } });
  kit.guard.replies.set("app_password_remove", { ok: true, result: { name: ANNA, app: "Annas Laptop" } });
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
  kit.guard.replies.set("app_password_add", { ok: true, result: { name: ANNA, app: "phone", password: "once" } });
  const key = { "idempotency-key": "one" };
  assert.equal((await send("POST", "/app-passwords", { name: "phone" }, key)).status, 201);
  const again = await send("POST", "/app-passwords", { name: "phone" }, key);
  assert.partialDeepStrictEqual(again, { status: 409, answer: { code: "key_done" } });
  assert.equal(kit.guard.of("app_password_add").length, 1);
});

test("forwarding is shown, set and ended", async (t) => {
  const { kit, send } = await started(t);
  assert.deepEqual(await send("GET", "/forwarding"), { status: 200, answer: { to: [], keep: true } });
  kit.guard.replies.set("forwarding", { ok: true, result: FORWARDING });
  kit.guard.replies.set("forward_set", { ok: true, result: { name: ANNA, ...FORWARDING } });
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
  kit.guard.replies.set("vacation_set", { ok: true, result: { name: ANNA, vacation: VACATION } });
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
  for (const verb of ["app_passwords", "forwarding", "vacation"] as const) kit.guard.replies.set(verb, MISSING);
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

test("without the scope admin nothing of it is answered, and the guard is not asked", async (t) => {
  const { kit, send } = await started(t);
  kit.guard.callers.set(AS_TOKEN.as, tokenNamed("ci", ["read", "ban", "allow", "greylist", "queue"]));
  for (const [, method, path, body] of ROUTES) {
    const refused = { status: 403, answer: { code: "not_allowed" } };
    assert.partialDeepStrictEqual(await send(method, path, body), refused, `${method} ${path}`);
  }
  assert.deepEqual(kit.guard.asked, []);
});

test("a request without a fresh proof is answered as such", async (t) => {
  const { kit, send } = await started(t);
  for (const [verb, method, path, body] of ROUTES) {
    kit.guard.replies.set(verb, PROOF_NEEDED);
    const unproven = { status: 403, answer: { code: "proof_needed" } };
    assert.partialDeepStrictEqual(await send(method, path, body), unproven, `${method} ${path}`);
  }
});
