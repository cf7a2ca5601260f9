import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf, bearer, openStream, signIn } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN, DISK_FULL } from "../../../test/kit/fake-guard.ts";
import { ip } from "../../../test/kit/samples.ts";
import { NOTE_USE_MS } from "../../core/access/session.ts";
import { UNAUTHORIZED } from "../../guard/commands/web/command-gate.ts";
import type { Caller } from "./access.ts";
import { type CallerLookup, type Callers, createCallers } from "./callers.ts";
import { API_LIMITS } from "./limits.ts";

const kit = apiKitOf(import.meta.filename);
const HERE = ip("127.0.0.1");
const headers = new Headers(bearer);
const other = (n: number) => new Headers({ authorization: `Bearer gi_${String(n).padStart(32, "0")}` });
const known = (found: CallerLookup): Caller =>
  typeof found === "object" && found !== null ? found : assert.fail(String(found));
const asked = (): number => kit.guard.identified.length;

/** Callers that already know one caller, `found`, from the guard. */
async function oneKnown(): Promise<{ callers: Callers; found: Caller }> {
  const callers = createCallers(kit.parts);
  return { callers, found: known(await callers.of(headers, HERE)) };
}

test("the guard is asked once, and its approval is remembered for a few seconds", async () => {
  const { callers, found } = await oneKnown();
  assert.deepEqual([found.name, found.secret], ["ci", AS_TOKEN.as]);
  kit.guard.callers.clear();
  kit.advance(API_LIMITS.callerAgeMs - 1);
  assert.deepEqual(await callers.of(headers, HERE), found);
  assert.deepEqual(kit.guard.identified, [{ ...AS_TOKEN, isUse: true }]);
  kit.advance(1);
  assert.equal(await callers.of(headers, HERE), null);
  assert.equal(await callers.of(new Headers(), HERE), null);
  assert.equal(asked(), 2, "who shows nothing is not asked about");
});

test("a refusal is remembered for seconds and counts once, and an approval holds only for its address", async () => {
  const callers = createCallers(kit.parts);
  for (let n = 0; n < 2 * API_LIMITS.wrongCredentials; n++) assert.equal(await callers.of(other(1), HERE), null);
  assert.equal(asked(), 1, "a script with an old token");
  kit.advance(API_LIMITS.wrongCredentialsMs);
  assert.equal(await callers.of(other(1), HERE), null);
  assert.equal(asked(), 2);
  kit.guard.identified = [];
  known(await callers.of(headers, HERE));
  await callers.of(headers, ip("203.0.113.7"));
  const addresses = kit.guard.identified.map((one) => one.ip);
  assert.deepEqual(addresses, ["127.0.0.1", "203.0.113.7"]);
});

test("a refusal at one address does not affect the same session at another", async () => {
  const away = ip("203.0.113.7");
  const callers = createCallers(kit.parts);
  kit.guard.replies.set("caller", UNAUTHORIZED);
  assert.equal(await callers.of(headers, away), null);
  kit.guard.replies.delete("caller");
  known(await callers.of(headers, HERE));
  assert.equal(await callers.of(headers, away), null);
});

test("an ended session may read for seconds, and without the guard for minutes; 30 wrong secrets are tried", () => {
  const asked = {
    callerAgeMs: 5_000,
    callerAgeWithoutGuardMs: 600_000,
    wrongCredentials: 30,
    wrongCredentialsMs: 10_000,
  };
  assert.partialDeepStrictEqual(API_LIMITS, asked);
});

test("simultaneous requests share one question to the guard", async () => {
  const callers = createCallers(kit.parts);
  await Promise.all(Array.from({ length: 20 }, () => callers.of(headers, HERE)));
  assert.equal(asked(), 1);
});

test("a sign-out takes effect at once, even for a pending answer", async () => {
  const { callers, found } = await oneKnown();
  const late = callers.stillHolds(found, HERE);
  callers.end(found, HERE);
  assert.equal(await callers.of(headers, HERE), null);
  assert.equal(await late, false);
  assert.equal(await callers.of(headers, HERE), null);
});

test("while a stream is open, requests are reported to the guard once a minute", async () => {
  const { callers, found } = await oneKnown();
  for (let seconds = 0; seconds < 600; seconds += 5) {
    kit.advance(API_LIMITS.callerAgeMs);
    assert.equal(await callers.stillHolds(found, HERE), true);
    known(await callers.of(headers, HERE));
  }
  assert.equal(kit.guard.identified.filter(({ isUse }) => isUse).length, 11);
});

test("polling by an open page does not count as a use, unless the caller is unknown", async () => {
  const { callers } = await oneKnown();
  const polled = { isUse: false };
  kit.advance(NOTE_USE_MS);
  known(await callers.of(headers, HERE, polled));
  assert.equal(await callers.of(other(1), HERE, polled), null);
  const cookie = await signIn(kit);
  kit.advance(NOTE_USE_MS);
  for (const path of ["figures", "top?by=mails", "session"])
    assert.equal((await kit.send("GET", path, undefined, { cookie })).status, 200, path);
  const uses = kit.guard.identified.map(({ isUse }) => isUse);
  assert.deepEqual(uses, [true, false, true, false, false, true]);
});

test("a proof that is given while a question is pending is not lost", async () => {
  const { callers, found } = await oneKnown();
  const freshUntil = "2026-11-20T07:10:00.000Z";
  const late = callers.stillHolds(found, HERE);
  callers.confirm(found.secret, HERE, { ...found, freshUntil });
  await late;
  assert.equal(known(await callers.of(headers, HERE)).freshUntil, freshUntil);
});

test("while the guard is down, only recently known callers may read", async () => {
  const { callers, found } = await oneKnown();
  kit.guard.isDown = true;
  kit.advance(API_LIMITS.callerAgeWithoutGuardMs - 1);
  assert.deepEqual(await callers.of(headers, HERE), found);
  assert.equal(await callers.stillHolds(found, HERE), true);
  assert.equal(await callers.of(other(1), HERE), "down");
  kit.advance(1);
  assert.equal(await callers.of(headers, HERE), "down");
  assert.equal(await callers.stillHolds(found, HERE), false, "a stream reads no longer than a request");
});

test("a guard that fails on a full disk is treated as down: it refuses no one", async () => {
  const { callers, found } = await oneKnown();
  kit.guard.replies.set("caller", DISK_FULL);
  kit.advance(API_LIMITS.callerAgeMs);
  assert.deepEqual(await callers.of(headers, HERE), found);
  assert.equal(await callers.stillHolds(found, HERE), true);
  for (let n = 0; n <= API_LIMITS.wrongCredentials; n++) assert.equal(await callers.of(other(n), HERE), "down");
  kit.guard.replies.delete("caller");
  known(await callers.of(headers, HERE));
  assert.equal(await callers.of(other(0), HERE), null);
});

test("made-up tokens are soon rejected without asking, and known ones still work", async () => {
  const { callers, found } = await oneKnown();
  for (let n = 0; n < 5 * API_LIMITS.wrongCredentials; n++)
    assert.equal(await callers.of(other(n), HERE), n < API_LIMITS.wrongCredentials ? null : "too_many_wrong");
  assert.equal(asked(), 1 + API_LIMITS.wrongCredentials);
  kit.advance(API_LIMITS.callerAgeMs);
  known(await callers.of(headers, HERE));
  known(await callers.of(headers, ip("203.0.113.7"))); // another network
  callers.confirm(found.secret, HERE, { ...found, freshUntil: "2026-11-20T07:10:00.000Z" });
  assert.equal(await callers.stillHolds(found, HERE), true);
  assert.equal(known(await callers.of(headers, HERE)).name, "ci");
  kit.guard.identified.pop();
  kit.advance(API_LIMITS.wrongCredentialsMs);
  await callers.of(other(0), HERE);
  assert.equal(asked(), 4 + API_LIMITS.wrongCredentials);
});

test("made-up tokens from the same network affect neither a sign-in nor a stream after a proof", async (t) => {
  for (let n = 0; n <= API_LIMITS.wrongCredentials; n++) {
    const { status } = await fetch(`${kit.url}/api/v1/session`, { headers: Object.fromEntries(other(n)) });
    assert.equal(status, n < API_LIMITS.wrongCredentials ? 401 : 429);
  }
  const cookie = await signIn(kit);
  const stream = await openStream(t, `${kit.url}/api/v1/stream`, { cookie });
  assert.equal(stream.status, 200);
  const caller = [...kit.guard.callers.values()].find(({ how }) => how === "session") ?? assert.fail();
  kit.guard.answers("prove", { outcome: "proved", caller });
  assert.equal((await kit.send("POST", "session/proof", { password: "x" }, { cookie })).status, 200);
  assert.equal((await kit.send("GET", "session", undefined, { cookie })).status, 200);
  assert.ok(await stream.until((text) => text || null), "it has not ended");
});

test("while the guard hangs, unknown callers wait only for seconds", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const callers = createCallers({ ...kit.parts, guard: { ask: () => new Promise<never>(() => undefined) } });
  const all = Array.from({ length: API_LIMITS.unknownAtOnce + 1 }, (_, n) => callers.of(other(n), HERE));
  t.mock.timers.tick(API_LIMITS.unknownWaitMs);
  assert.equal(await Promise.race(all), "down");
});

test("only a few callers are looked up at once, and each gets its own answer", async (t) => {
  let running = 0;
  let most = 0;
  const usual = kit.guard.ask.bind(kit.guard);
  t.mock.method(kit.guard, "ask", async (...question: Parameters<typeof usual>) => {
    most = Math.max(most, (running += 1));
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return usual(...question);
  });
  const callers = createCallers(kit.parts);
  const all = Array.from({ length: 25 }, (_, n) => callers.of(n === 24 ? headers : other(n), ip(`203.0.113.${n}`)));
  const found = await Promise.all(all);
  assert.equal(most, API_LIMITS.unknownAtOnce);
  for (const [n, one] of found.entries()) assert.equal(one !== null, n === 24, `${n}`);
});
