import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseAuthenticatorData, parseClientData, passkeyName } from "./passkeys.ts";

const CLIENT = { type: "webauthn.get", challenge: "abc", origin: "https://mail.example.test" };
const client = (fields: Readonly<Record<string, unknown>>) => parseClientData(Buffer.from(JSON.stringify(fields)));

test("client data is read, without unknown fields", () => {
  assert.deepEqual(client(CLIENT), CLIENT);
  const unframed = { ...CLIENT, crossOrigin: false };
  assert.deepEqual(client({ ...unframed, other_keys_can_be_added_here: "…" }), unframed);
});

test("a page framed by another site is refused, and so is malformed data", () => {
  const framed = [{ crossOrigin: true }, { crossOrigin: 1 }, { topOrigin: null }, { topOrigin: "https://x.example" }];
  const malformed = Object.keys(CLIENT).map((field) => ({ [field]: 7 }));
  for (const odd of [...framed, ...malformed]) assert.equal(client({ ...CLIENT, ...odd }), null, JSON.stringify(odd));
  for (const text of ["", "null", "[]", '"x"', "{"]) assert.equal(parseClientData(Buffer.from(text)), null, text);
});

const data = (flags: number, rest = ""): Buffer =>
  Buffer.from(`${"ab".repeat(32)}${flags.toString(16).padStart(2, "0")}00000102${rest}`, "hex");
const AAGUID = "00".repeat(16);

test("flags and counter of a signature are read", () => {
  const parsed = { nameDigest: Buffer.alloc(32, 0xab), isPresent: true, isVerified: true, counter: 0x102 };
  assert.deepEqual(parseAuthenticatorData(data(0x05)), { ...parsed, credentialId: null });
  assert.equal(parseAuthenticatorData(data(0x01))?.isVerified, false);
  assert.equal(parseAuthenticatorData(data(0x04))?.isPresent, false);
  assert.ok(parseAuthenticatorData(data(0x1d)), "a synchronised passkey");
  assert.equal(parseAuthenticatorData(data(0x85, `${AAGUID}0003010203a0`))?.credentialId, null, "extensions follow");
});

test("the id of a new passkey is read", () => {
  const registered = parseAuthenticatorData(data(0x45, `${AAGUID}0003010203a0`));
  assert.deepEqual(registered?.credentialId, Buffer.from([1, 2, 3]));
});

test("data that is too short, too long or contradictory is refused", () => {
  const short = ["00", "0000a0", "0003010203", "ffff010203a0"].map((rest) => data(0x45, `${AAGUID}${rest}`));
  for (const bytes of [Buffer.alloc(36, 5), data(0x05, "00"), data(0x85), data(0x15), data(0x45), ...short])
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

const NAMES = ["mail.example.test", "example.org"];

test("a page of ours over https, and one at the end of a tunnel, can have passkeys", () => {
  for (const [origin, name] of [
    ["https://mail.example.test", "mail.example.test"],
    ["https://mail.example.test:8443", "mail.example.test"],
    ["https://dashboard.example.org", "dashboard.example.org"],
    ["http://localhost:3000", "localhost"],
    ["http://localhost", "localhost"],
    ["https://localhost:8443", "localhost"],
  ] as const)
    assert.equal(passkeyName(origin, NAMES), name, origin);
});

for (const [where, origins] of Object.entries({
  "over http": ["http://mail.example.test", "http://mail.example.test:3000", "http://x.localhost", "ftp://localhost"],
  "under another name": ["https://example.test", "https://evil.example", "https://evilexample.org"],
  "below another name": ["https://mail.example.test.evil.example"],
  "with its name in capitals or with a dot": ["https://MAIL.example.test", "https://mail.example.test."],
  "with a path or a user": ["https://mail.example.test/", "https://user@mail.example.test"],
  "with the usual port": ["https://mail.example.test:443"],
  "at an IP address": ["http://127.0.0.1:3000", "https://203.0.113.10", "https://[2001:db8::1]"],
  "that is not a web page": ["android:apk-key-hash:x", "null", ""],
}))
  test(`an origin ${where} cannot have passkeys`, () => {
    for (const origin of origins) assert.equal(passkeyName(origin, NAMES), null, origin);
  });

test("no page at an IP address can have passkeys, whatever the settings say", () =>
  assert.equal(passkeyName("https://203.0.113.10", ["203.0.113.10"]), null));
