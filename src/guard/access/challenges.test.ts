import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { CHALLENGE_MS, Challenges } from "./passkeys.ts";

function kit() {
  const clock = new HandClock();
  return { clock, challenges: new Challenges(clock) };
}

test("a challenge is random, and valid for its purpose for two minutes", () => {
  const { clock, challenges } = kit();
  const one = challenges.make("sign in");
  assert.notEqual(one, challenges.make("sign in"));
  assert.ok(Buffer.from(one, "base64url").length >= 32);
  assert.ok(challenges.isOpen(one, "sign in"));
  assert.ok(!challenges.isOpen(one, "make"), "not for another purpose");
  clock.advance(CHALLENGE_MS - 1);
  assert.ok(challenges.isOpen(one, "sign in"));
  clock.advance(1);
  assert.ok(!challenges.isOpen(one, "sign in"));
});

test("a challenge is used once", () => {
  const { clock, challenges } = kit();
  const [one, other] = [challenges.make("sign in"), challenges.make("sign in")];
  challenges.spend(one);
  assert.ok(!challenges.isOpen(one, "sign in"));
  assert.ok(challenges.isOpen(other, "sign in"));
  clock.advance(CHALLENGE_MS - 1);
  assert.ok(!challenges.isOpen(one, "sign in"), "until it expires");
});

test("only this guard's challenges are valid: not a stranger's, not those from before a restart, not after the clock was set back", () => {
  const { clock, challenges } = kit();
  const one = challenges.make("sign in");
  const bytes = Buffer.from(one, "base64url");
  for (let i = 0; i < bytes.length; i++) {
    const forged = Buffer.from(bytes);
    forged.writeUInt8(forged.readUInt8(i) ^ 1, i);
    assert.ok(!challenges.isOpen(forged.toString("base64url"), "sign in"), `byte ${i}`);
  }
  for (const forged of ["", "x", `${one}=`, one.slice(0, -1), `${one}AA`, `${one} `])
    assert.ok(!challenges.isOpen(forged, "sign in"), forged);
  assert.ok(!new Challenges(clock).isOpen(one, "sign in"));
  clock.advance(-1);
  assert.ok(!challenges.isOpen(one, "sign in"));
});

test("strangers may request any number without displacing others", () => {
  const { challenges } = kit();
  const owners = challenges.make("sign in");
  for (let i = 0; i < 50_000; i++) challenges.make("sign in");
  assert.ok(challenges.isOpen(owners, "sign in"));
});

test("the list of used challenges is bounded, and entries are removed when they expire", () => {
  const { clock, challenges } = kit();
  for (let i = 0; i < 256; i++) challenges.spend(challenges.make("sign in"));
  const more = challenges.make("sign in");
  assert.ok(!challenges.isOpen(more, "sign in"));
  clock.advance(CHALLENGE_MS);
  assert.ok(challenges.isOpen(challenges.make("sign in"), "sign in"));
});
