import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  loopback,
  oneLine,
  parseHostName,
  quietHours,
  resolver,
  stubZone,
  systemUserOrId,
  timeZone,
  url,
} from "./texts.ts";

const label63 = "a".repeat(63);

for (const [text, name] of [
  ["example.org", "example.org"],
  ["Mail.Example.ORG", "mail.example.org"],
  ["a.b-c.d9", "a.b-c.d9"],
  ["münchen.example", "xn--mnchen-3ya.example"],
  [`${label63}.org`, `${label63}.org`],
] as const)
  test(`parseHostName of ${JSON.stringify(text).slice(0, 60)}`, () => assert.equal(parseHostName(text), name));

const [LONG_LABEL, LONG_NAME] = [`a${label63}.org`, `${`${label63}.`.repeat(4)}org`];
const ODD = ["münchen.example/x", "a_b.org", "a b.org", "user@example.org", "example.org\nmynetworks=0.0.0.0"];
const DOTS = ["localhost", "", ".", "example.org.", ".example.org", "example..org", "-a.org", "a-.org", "203.0.113.7"];
for (const text of [...DOTS, ...ODD, LONG_LABEL, LONG_NAME])
  test(`no host name: ${JSON.stringify(text).slice(0, 60)}`, () => assert.equal(parseHostName(text), null));

test("accepts every ordinary domain", () => {
  fc.assert(fc.property(fc.domain(), (name) => assert.equal(parseHostName(name), name.toLowerCase())));
});

test("a stub zone is a zone and its server, in one canonical spelling", () => {
  const value = { zone: "corp.example", address: "2001:db8::53" };
  const read = { ok: true, value, toml: '"corp.example=2001:db8::53"' };
  assert.deepEqual(stubZone.read(" Corp.Example = 2001:DB8::53 "), read);
  for (const wrong of ["corp.example", "corp.example=", "=10.0.0.53", "a.b=10.0.0.53=c", 'a.b"=10.0.0.53', "a.b=dns.c"])
    assert.equal(stubZone.read(wrong).ok, false, wrong);
});

test("a resolver, or the server of a stub zone, is on another machine", () => {
  for (const right of ["2001:db8:53::54", "10.0.0.53", "::1:0"]) assert.equal(resolver.read(right).ok, true, right);
  for (const wrong of ["127.0.0.53", "127.71.9.53", "::1", "::", "0.0.0.0", "::ffff:127.0.0.1", "dns.example.org"])
    for (const read of [resolver.read(wrong), stubZone.read(`corp.example=${wrong}`)])
      assert.equal(read.ok, false, wrong);
});

test("a loopback address is one of IPv4, because resolv.conf and Postfix' chroot are rendered with it", () => {
  for (const right of ["127.71.9.53", "127.255.255.254"]) assert.equal(loopback.read(right).ok, true, right);
  for (const wrong of ["10.0.0.1", "::1", "0.0.0.0", "127.255.255.255", "localhost"])
    assert.equal(loopback.read(wrong).ok, false, wrong);
});

test("the user of a proxy is given by name, or by id if it has no name", () => {
  for (const right of ["caddy", "_apt", "101", "3999999999"]) assert.equal(systemUserOrId.read(right).ok, true, right);
  for (const wrong of ["", "10 1", "-1", "Caddy", "1e3", "4294967296"])
    assert.equal(systemUserOrId.read(wrong).ok, false, wrong);
});

test("alerts are sent to an HTTP URL in plain characters", () => {
  for (const right of ["https://ntfy.sh/topic", "http://apprise:8000/notify/key?x=50%", "http://[2001:db8::1]:80/"])
    assert.equal(url.read(right).ok, true, right);
  const others = ["", "ntfy.sh/topic", "ftp://ntfy.sh", "https://", 'https://a.example/"', "https://a.example/a b"];
  const undecodable = ["https://u:50%@a.example/t", "https://u:%ff@a.example/t"];
  for (const wrong of [...others, ...undecodable, "https://a.example/\\", "file:///etc"])
    assert.equal(url.read(wrong).ok, false, wrong);
});

test("quiet hours may be empty; a time zone is one that the machine knows", () => {
  const night = quietHours.read("22:00-07:00");
  assert.deepEqual(night, { ok: true, value: { from: 1_320, to: 420 }, toml: '"22:00-07:00"' });
  assert.deepEqual(quietHours.read(""), { ok: true, value: null, toml: '""' });
  assert.equal(quietHours.read("at night").ok, false);
  assert.equal(timeZone.read("Europe/Berlin").ok, true);
  for (const wrong of ["Berlin", "Europe/Atlantis", "../etc/passwd"])
    assert.equal(timeZone.read(wrong).ok, false, wrong);
});

test("a contact is one line that can be printed", () => {
  assert.equal(oneLine.read("Änne, +49 30 1").ok, true);
  for (const wrong of ["", "a\nb", "\u001b[2J", "x".repeat(201)]) assert.equal(oneLine.read(wrong).ok, false, wrong);
});
