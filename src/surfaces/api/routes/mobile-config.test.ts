import assert from "node:assert/strict";
import { test } from "node:test";
import { CLIENT } from "../../../../test/kit/fake-guard.ts";
import { clientText, mobileConfig } from "./mobile-config.ts";

test("a profile names the mailbox, both servers with TLS, and no password", () => {
  const profile = mobileConfig(CLIENT);
  assert.match(profile, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<!DOCTYPE plist PUBLIC/);
  const valueOf = (key: string) => new RegExp(`<key>${key}</key><(?:\\w+>)?([^<>/]+)`).exec(profile)?.[1];
  assert.equal(valueOf("EmailAddress"), "anna@example.org");
  for (const [side, port] of Object.entries({ Incoming: "993", Outgoing: "465" })) {
    assert.equal(valueOf(`${side}MailServerHostName`), "mail.example.org");
    assert.equal(valueOf(`${side}MailServerPortNumber`), port);
    assert.equal(valueOf(`${side}MailServerUsername`), "anna@example.org");
    assert.ok(profile.includes(`<key>${side}MailServerUseSSL</key><true/>`));
  }
  assert.doesNotMatch(profile, /<key>(?:Incoming|Outgoing)Password<\/key>/);
});

test("the text says which passwords work in mail programs", () => {
  assert.equal(clientText(CLIENT).split("\n").at(-1), "Password: that of the mailbox or an app password, for both");
});

test("a second profile of a mailbox replaces the first, and another mailbox has its own", () => {
  const ids =
    /<key>Payload(?:Identifier|UUID)<\/key><string>[a-z.]*[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-8[0-9A-F]{3}-[0-9A-F]{12}/g;
  const named = (text: string): readonly string[] => text.match(ids) ?? [];
  const names = named(mobileConfig(CLIENT));
  assert.equal(new Set(names).size, 4);
  assert.deepEqual(named(mobileConfig({ ...CLIENT, host: "mx.example.net", imapPort: 994 })), names);
  assert.ok(named(mobileConfig({ ...CLIENT, account: "bert@example.org" })).every((name) => !names.includes(name)));
});

test("a name is escaped as text", () => {
  const profile = mobileConfig({ ...CLIENT, account: "a&b<c>@example.org" });
  assert.ok(profile.includes("<string>a&amp;b&lt;c&gt;@example.org</string>"));
});
