import assert from "node:assert/strict";
import { test } from "node:test";
import { passkeyInPath, passkeyMade, passkeyUsed } from "./passkey-schemas.ts";

const USED = { id: "cGFzc2tleQ", clientData: "e30", authenticatorData: "AAAA", signature: "MEUC" };
const MADE = { ...USED, signature: undefined, publicKey: "MFkw", name: "My laptop" };

test("a passkey comes in base64url, bounded, with nothing besides", () => {
  assert.ok(passkeyUsed.safeParse(USED).success);
  for (const field of Object.keys(USED))
    for (const wrong of ["", "a=", "a+b/", "ä", 7, undefined, "A".repeat(1_501)])
      assert.ok(!passkeyUsed.safeParse({ ...USED, [field]: wrong }).success, `${field} ${String(wrong).slice(0, 9)}`);
  assert.ok(!passkeyUsed.safeParse({ ...USED, origin: "https://mail.example.test" }).success);
});

test("a new one has a name of one line", () => {
  const { signature: _, ...made } = MADE;
  assert.ok(passkeyMade.safeParse(made).success);
  for (const name of ["", "  ", "x".repeat(65), "a\nb", "a\u2028b", 7])
    assert.ok(!passkeyMade.safeParse({ ...made, name }).success, JSON.stringify(name));
});

test("only what can be one is looked for", () => {
  assert.ok(passkeyInPath.safeParse({ id: "-_aZ09" }).success);
  for (const id of ["", "../x", "a/b", "a%"]) assert.ok(!passkeyInPath.safeParse({ id }).success, id);
});
