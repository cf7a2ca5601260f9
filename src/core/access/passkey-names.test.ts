import assert from "node:assert/strict";
import { test } from "node:test";
import { isNameOf, passkeyName } from "./passkeys.ts";

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

test("no other page can: not over http, not under another name, not at an IP address", () => {
  for (const origin of [
    "http://mail.example.test",
    "http://mail.example.test:3000",
    "https://example.test",
    "https://evil.example",
    "https://mail.example.test.evil.example",
    "https://evilexample.org",
    "https://MAIL.example.test",
    "https://mail.example.test.",
    "https://mail.example.test/",
    "https://mail.example.test:443",
    "https://user@mail.example.test",
    "http://127.0.0.1:3000",
    "https://203.0.113.10",
    "https://[2001:db8::1]",
    "http://x.localhost",
    "android:apk-key-hash:x",
    "null",
    "",
  ])
    assert.equal(passkeyName(origin, NAMES), null, origin);
  assert.equal(passkeyName("https://203.0.113.10", ["203.0.113.10"]), null, "whatever the settings say");
});

test("a name is one of ours or below one", () => {
  assert.ok(isNameOf("example.org", NAMES) && isNameOf("a.b.example.org", NAMES));
  assert.ok(!isNameOf("anexample.org", NAMES) && !isNameOf("org", NAMES) && !isNameOf("", NAMES));
});
