import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod/mini";
import { passkeyUsed } from "./access.ts";
import { verbs } from "./declare/control.ts";

const used = z.strictObject(passkeyUsed);
const can = (verb: "passkey_add" | "passkey_remove", fields: object): boolean =>
  verbs
    .get(verb)
    ?.schema()
    .safeParse({ verb, ...fields }).success === true;
const USED = { id: "cGFzc2tleQ", clientData: "e30", authenticatorData: "AAAA", signature: "MEUC" };
const { signature: _, ...MADE } = { ...USED, publicKey: "MFkw", name: "My laptop" };

test("a passkey is base64url of bounded length, without other fields", () => {
  assert.ok(used.safeParse(USED).success);
  for (const field of Object.keys(USED))
    for (const wrong of ["", "a=", "a+b/", "ä", 7, undefined, "A".repeat(1_501)])
      assert.ok(!used.safeParse({ ...USED, [field]: wrong }).success, `${field} ${String(wrong).slice(0, 9)}`);
  assert.ok(!used.safeParse({ ...USED, origin: "https://mail.example.test" }).success);
});

test("a new passkey has a name of one line", () => {
  assert.ok(can("passkey_add", MADE));
  for (const name of ["", "  ", "x".repeat(65), "a\nb", "a\u2028b", 7])
    assert.ok(!can("passkey_add", { ...MADE, name }), JSON.stringify(name));
});

test("an invalid id is refused before it is looked up", () => {
  assert.ok(can("passkey_remove", { id: "-_aZ09" }));
  for (const id of ["", "../x", "a/b", "a%"]) assert.ok(!can("passkey_remove", { id }), id);
});
