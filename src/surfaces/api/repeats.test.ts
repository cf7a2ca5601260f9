import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf, BAN, bearer, T0 } from "../../../test/kit/api-kit.ts";
import { tokenNamed } from "../../../test/kit/fake-guard.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { later } from "../../core/time.ts";
import { API_LIMITS } from "./limits.ts";
import { acceptsRepeatKey, createRepeats, REPEAT_MS } from "./repeats.ts";
import { route } from "./route.ts";

const kit = apiKitOf(import.meta.filename);
beforeEachOf(import.meta.filename, () => kit.guard.answers("ban", { ban: BAN }));

const KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"';
const ROW = route("POST /x", { says: "It says.", asks: "ban", run: () => null });
const OTHER = "gi_fedcba9876543210fedcba9876543210";

type Sent = Readonly<{ key?: string; path?: string; body?: unknown; token?: string }>;
async function post({ key = KEY, path = "/api/v1/bans", body = { ip: "203.0.113.7" }, token }: Sent = {}) {
  const own = token === undefined ? bearer : { authorization: `Bearer ${token}` };
  const headers = { ...own, "idempotency-key": key };
  const answer = await fetch(`${kit.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, text: await answer.text(), type: answer.headers.get("content-type") };
}

test("a request that is repeated with its key is carried out once, and gets the first answer for a day", async () => {
  const first = await post();
  assert.equal(first.status, 201);
  kit.guard.refuses("ban", "It is banned.");
  kit.advance(REPEAT_MS - 1);
  assert.deepEqual(await post(), first);
  assert.deepEqual(await post({ key: KEY.slice(1, -1) }), first, "without its quotes");
  assert.equal(kit.guard.of("ban").length, 1);
  kit.advance(1);
  assert.equal((await post()).status, 409);
  assert.equal(kit.guard.of("ban").length, 2);
});

test("a request that was refused, wrong or failed for now did nothing, and may be repeated with its key", async () => {
  const making = { path: "/api/v1/tokens", body: { name: "ci", scopes: ["read"] } };
  kit.guard.refuses("token_create", "There is a token ci.");
  for (const _ of [1, 2]) {
    const refused = await post(making);
    assert.equal(refused.status, 409);
    assert.match(refused.text, /"code":"refused","detail":"There is a token ci\."/);
  }
  kit.guard.answers("token_create", { name: "ci" });
  assert.equal((await post(making)).status, 201);

  assert.equal((await post({ key: "b", body: { ip: "nobody" } })).status, 400);
  kit.guard.isDown = true;
  assert.equal((await post({ key: "b" })).status, 503);
  kit.guard.isDown = false;
  assert.equal((await post({ key: "b" })).status, 201);
  assert.equal(kit.guard.of("ban").length, 1);
});

test("a command that the guard accepted but did not answer or finish is neither repeated nor reported as done", async () => {
  const { guard } = kit;
  guard.replies.set("ban", { ok: false, kind: "unreachable", message: "It did not answer in time.", mayBeDone: true });
  const first = await post();
  assert.equal(first.status, 503);
  assert.match(first.text, /"code":"timeout".*it may already have been made/);
  const again = await post();
  assert.equal(again.status, 409);
  assert.match(again.text, /"code":"key_uncertain".*It is not known whether .* took full effect/);
  assert.equal(guard.of("ban").length, 1);
  guard.refuses("ban", "The disk is full.", { mayBeDone: true });
  assert.match((await post({ key: "b" })).text, /"status":409,.*"The disk is full\."/);
  assert.match((await post({ key: "b" })).text, /"code":"key_uncertain"/);
});

test("a repeated change of the queue says where it stopped; a preview changes nothing and uses no key", async () => {
  const asked = { path: "/api/v1/queue/hold", body: { sender: "a@example.net" } };
  kit.guard.answers("queue_hold", { changed: 5, kept: [], next: "7" });
  const first = await post(asked);
  assert.match(first.text, /"next":"7"/);
  assert.deepEqual(await post(asked), first);
  assert.equal(kit.guard.of("queue_hold").length, 1);
  assert.equal(acceptsRepeatKey({ ...ROW, asks: "settings_preview" }), false);
});

test("a different request with the same key is refused; keys of different callers are separate", async () => {
  kit.guard.callers.set(OTHER, tokenNamed("ci", ["read", "ban"]));
  await post();
  const reused = await post({ body: { ip: "203.0.113.8" } });
  assert.equal(reused.status, 422);
  assert.match(reused.text, /"code":"key_reused"/);
  assert.equal((await post({ path: "/api/security", body: { action: "ban", ip: "203.0.113.7" } })).status, 422);
  assert.equal((await post({ token: OTHER, body: { ip: "203.0.113.8" } })).status, 201);
  assert.equal(kit.guard.of("ban").length, 2);
});

test("a token or an app password is shown once: repeating its key only says that it was made", async () => {
  kit.guard.answers("token_create", { name: "ci" });
  kit.guard.answers("app_password_add", { name: "anna@example.org", app: "phone", password: "once" });
  for (const [asked, secret] of [
    [{ key: "one", path: "/api/v1/tokens", body: { name: "ci", scopes: ["read"] } }, /"token":"gi_/],
    [{ key: "two", path: "/api/v1/accounts/anna@example.org/app-passwords", body: { name: "phone" } }, /"once"/],
  ] as const) {
    assert.match((await post(asked)).text, secret);
    const again = await post(asked);
    assert.equal(again.status, 409);
    assert.match(again.text, /"code":"key_done"/);
    assert.doesNotMatch(again.text, secret);
  }
});

test("a dry run takes no key for the request itself", async () => {
  assert.equal((await post({ path: "/api/v1/bans?dry_run=true" })).status, 200);
  assert.equal((await post()).status, 201);
});

test("a malformed key is refused", async () => {
  for (const key of ["", '""', '"a', "a b", `"${"x".repeat(256)}"`])
    assert.equal((await post({ key })).status, 400, key);
  assert.equal(kit.guard.of("ban").length, 0);
});

test("while the first is in progress, a repeat is refused; no caller can fill the memory for keys", async () => {
  const once = createRepeats();
  const { promise, resolve } = Promise.withResolvers<Response>();
  const asked = { row: ROW, key: "one", url: "/x", body: {}, now: T0 };
  const first = once("a", asked, () => promise);
  assert.match(await (await once("a", asked, () => assert.fail("it ran twice"))).text(), /"code":"key_in_use"/);
  resolve(Response.json({ done: true }));
  assert.deepEqual(await (await first).json(), { done: true });

  const done = () => Promise.resolve(Response.json({}));
  for (let i = 1; i < API_LIMITS.keysOfOne; i++) await once("a", { ...asked, key: `k${i}` }, done);
  const full = await once("a", { ...asked, key: "more" }, () => assert.fail("it is not remembered"));
  assert.equal(full.status, 429);
  assert.equal(full.headers.get("retry-after"), "3600");
  assert.equal((await once("b", { ...asked, key: "more" }, done)).status, 200);
  assert.equal((await once("a", { ...asked, key: "more", now: later(T0, REPEAT_MS) }, done)).status, 200);
});
