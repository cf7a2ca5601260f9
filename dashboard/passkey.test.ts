import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, textOf, whyNoPasskeys } from "./passkey.ts";

test("a page says where it can have passkeys, and why not elsewhere", () => {
  const at = (hostname: string, isSecureContext = true) => {
    Object.assign(globalThis, { location: { hostname }, isSecureContext });
    return whyNoPasskeys();
  };
  assert.equal(at("localhost"), "unsupported");
  Object.assign(globalThis, { PublicKeyCredential: EventTarget });
  for (const name of ["localhost", "mail.example.org", "1.example.org", "xn--mller-kva.example"])
    assert.equal(at(name), null, name);
  for (const address of ["127.0.0.1", "203.0.113.10", "[::1]", "[2001:db8::1]"])
    assert.equal(at(address, false), "address", address);
  assert.equal(at("mail.example.org", false), "insecure");
});

test("bytes go to the server and come back as base64url", () => {
  for (const bytes of [[], [0], [255, 254], [1, 2, 3], Array.from({ length: 256 }, (_, i) => i)]) {
    const { buffer } = Uint8Array.from(bytes);
    const text = textOf(buffer);
    assert.equal(text, Buffer.from(bytes).toString("base64url"));
    assert.deepEqual([...bytesOf(text)], bytes);
  }
});
