import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseAuthenticatorData, parseClientData } from "./passkeys.ts";

const CLIENT = { type: "webauthn.get", challenge: "abc", origin: "https://mail.example.test" };
const client = (fields: Readonly<Record<string, unknown>>) => parseClientData(Buffer.from(JSON.stringify(fields)));

test("what a browser says it was asked, and by which page", () => {
  assert.deepEqual(client(CLIENT), CLIENT);
  assert.deepEqual(client({ ...CLIENT, crossOrigin: false, other_keys_can_be_added_here: "…" }), CLIENT);
});

test("a page framed by another site is refused, and so is malformed data", () => {
  for (const odd of [{ crossOrigin: true }, { crossOrigin: 1 }, { topOrigin: "https://evil.example" }])
    assert.equal(client({ ...CLIENT, ...odd }), null, JSON.stringify(odd));
  for (const field of Object.keys(CLIENT)) assert.equal(client({ ...CLIENT, [field]: 7 }), null, field);
  for (const text of ["", "null", "[]", '"x"', "{"]) assert.equal(parseClientData(Buffer.from(text)), null, text);
});

const data = (flags: number, rest = ""): Buffer =>
  Buffer.from(`${"ab".repeat(32)}${flags.toString(16).padStart(2, "0")}00000102${rest}`, "hex");
const AAGUID = "00".repeat(16);

test("flags and the counter of a signature", () => {
  assert.deepEqual(parseAuthenticatorData(data(0x05)), {
    nameDigest: Buffer.alloc(32, 0xab),
    isPresent: true,
    isVerified: true,
    counter: 0x102,
    credentialId: null,
  });
  assert.equal(parseAuthenticatorData(data(0x01))?.isVerified, false);
  assert.equal(parseAuthenticatorData(data(0x04))?.isPresent, false);
  assert.ok(parseAuthenticatorData(data(0x1d)), "a synchronised passkey");
  assert.ok(parseAuthenticatorData(data(0x85, "a0")), "extensions follow");
});

test("the id of a passkey that was made", () => {
  const made = parseAuthenticatorData(data(0x45, `${AAGUID}0003010203a0`));
  assert.deepEqual(made?.credentialId, Buffer.from([1, 2, 3]));
});

test("data that is too short, too long or contradictory is refused", () => {
  for (const bytes of [
    Buffer.alloc(36, 5),
    data(0x05, "00"),
    data(0x85),
    data(0x15),
    data(0x45),
    data(0x45, `${AAGUID}00`),
    data(0x45, `${AAGUID}0000a0`),
    data(0x45, `${AAGUID}0003010203`),
    data(0x45, `${AAGUID}ffff010203a0`),
  ])
    assert.equal(parseAuthenticatorData(bytes), null, bytes.toString("hex"));
});

test("no bytes make a parser throw", () => {
  const bytes = fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(bytes, (some) => {
      parseAuthenticatorData(some);
      parseClientData(some);
    }),
    { seed: 15, numRuns: 2_000 },
  );
});
