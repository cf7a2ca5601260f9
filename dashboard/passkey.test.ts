import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { settled } from "../test/kit/until.ts";
import { Refused } from "./api.ts";
import { bytesOf, LONGEST_MS, mayWorkLater, OFFERED_MS, offerPasskey, textOf, whyNoPasskeys } from "./passkey.ts";

test("where a page can have passkeys, and why not elsewhere", () => {
  const at = (hostname: string, isSecure = true, isSupported = true) =>
    whyNoPasskeys({ hostname, isSecure, isSupported });
  for (const name of ["localhost", "mail.example.org", "1.example.org", "xn--mller-kva.example"])
    assert.equal(at(name), null, name);
  for (const address of ["127.0.0.1", "203.0.113.10", "[::1]", "[2001:db8::1]"])
    assert.equal(at(address, false), "address", address);
  assert.equal(at("mail.example.org", false), "insecure");
  assert.equal(at("localhost", true, false), "unsupported");
});

test("bytes go to the server and come back as base64url", () => {
  for (const bytes of [[], [0], [255, 254], [1, 2, 3], Array.from({ length: 256 }, (_, i) => i)]) {
    const { buffer } = Uint8Array.from(bytes);
    const text = textOf(buffer);
    assert.equal(text, Buffer.from(bytes).toString("base64url"));
    assert.deepEqual([...bytesOf(text)], bytes);
  }
});

const ASSERTION = { passkey: { id: "id", clientData: "", authenticatorData: "", signature: "" } };

/** A browser that a test plays: each question waits until it is answered. */
function play(t: TestContext, { isOffered = true, isSeen = true, isElsewhere = false } = {}) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked: PromiseWithResolvers<typeof ASSERTION>[] = [];
  const seen = Promise.withResolvers<void>();
  if (isSeen) seen.resolve();
  let chosen = 0;
  const end = offerPasskey(() => (chosen += 1), {
    isOffered: () => Promise.resolve(isOffered),
    looked: () => seen.promise,
    isElsewhere: () => isElsewhere,
    ask: (signal) => {
      const question = Promise.withResolvers<typeof ASSERTION>();
      signal.addEventListener("abort", () => question.reject(new Error("ended")));
      asked.push(question);
      return question.promise;
    },
  });
  const pass = async (ms = 0): Promise<void> => {
    await settled();
    t.mock.timers.tick(ms);
    await settled();
  };
  return { asked, chosen: () => chosen, end, look: () => seen.resolve(), pass };
}

test("the one that is chosen signs in, and nothing is asked again", async (t) => {
  const { asked, chosen, pass } = play(t);
  await pass();
  asked[0]?.resolve(ASSERTION);
  await pass(10 * OFFERED_MS);
  assert.deepEqual([asked.length, chosen()], [1, 1]);
});

test("a challenge is replaced before its time is over", async (t) => {
  const { asked, chosen, pass } = play(t);
  await pass(OFFERED_MS - 1);
  assert.equal(asked.length, 1);
  await pass(1);
  assert.equal(asked.length, 2);
  asked[1]?.resolve(ASSERTION);
  await pass();
  assert.equal(chosen(), 1);
});

test("a reader who verifies in another window keeps the challenge for nearly all of its time", async (t) => {
  const { asked, chosen, pass } = play(t, { isElsewhere: true });
  await pass();
  t.mock.timers.tick(OFFERED_MS);
  await pass(LONGEST_MS - OFFERED_MS - 1);
  assert.equal(asked.length, 1);
  await pass(1);
  assert.equal(asked.length, 2);
  t.mock.timers.tick(OFFERED_MS);
  t.mock.timers.tick(LONGEST_MS - OFFERED_MS - 1);
  asked[1]?.resolve(ASSERTION);
  await pass(10 * LONGEST_MS);
  assert.deepEqual([asked.length, chosen()], [2, 1]);
});

test("a page that is not looked at asks for nothing until it is", async (t) => {
  const { asked, look, pass } = play(t, { isSeen: false });
  await pass();
  assert.equal(asked.length, 0);
  look();
  await pass();
  assert.equal(asked.length, 1);
});

test("once another way of signing in has started, no passkey is asked for, and a late answer is ignored", async (t) => {
  const { asked, chosen, end, pass } = play(t);
  await pass();
  asked[0]?.resolve(ASSERTION);
  end();
  await pass(10 * OFFERED_MS);
  assert.deepEqual([asked.length, chosen()], [1, 0]);
});

test("where the browser has no such offer, or its question fails, the page does not insist", async (t) => {
  const without = play(t, { isOffered: false });
  await without.pass();
  assert.equal(without.asked.length, 0);
  for (const reason of [new Error("not allowed"), new Refused(403, "not by this name")]) {
    t.mock.timers.reset();
    const { asked, chosen, pass } = play(t);
    await pass();
    asked[0]?.reject(reason);
    await pass(10 * OFFERED_MS);
    assert.deepEqual([asked.length, chosen()], [1, 0], reason.message);
  }
});

test("a challenge that the server cannot give now is asked for again a turn later", async (t) => {
  const { asked, chosen, end, pass } = play(t);
  const refused = [0, 429, 500, 503];
  for (const [turn, status] of refused.entries()) {
    await pass();
    assert.equal(asked.length, turn + 1, `${status}`);
    asked[turn]?.reject(new Refused(status, "not now"));
    await pass(OFFERED_MS - 1);
    assert.equal(asked.length, turn + 1, `${status}`);
    t.mock.timers.tick(1);
  }
  await pass();
  asked.at(-1)?.reject(new Refused(503, "not now"));
  await pass();
  end();
  await pass(10 * OFFERED_MS);
  assert.deepEqual([asked.length, chosen()], [refused.length + 1, 0]);
});

test("after a sign-in that failed a passkey is offered again, unless the server refused it", () => {
  const again = [0, 429, 500, 502, 503, 504];
  const all = [...again, 400, 401, 403, 404];
  assert.deepEqual(
    all.filter((status) => mayWorkLater(new Refused(status, "no"))),
    again,
  );
  assert.ok(!mayWorkLater(new Error("an error of the page")));
});
