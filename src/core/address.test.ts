import assert from "node:assert/strict";
import { test } from "node:test";
import { domainOf, localPart, parseAccountName, parseAddress } from "./address.ts";

test("an address is lowercased and taken apart", () => {
  const parsed = parseAddress("Anna.Berg+List@Mail.Example.ORG");
  assert.ok(parsed !== null);
  assert.equal(parsed, "anna.berg+list@mail.example.org");
  assert.equal(localPart(parsed), "anna.berg+list");
  assert.equal(domainOf(parsed), "mail.example.org");
});

test("lengths of RFC 5321 hold at the edge", () => {
  assert.ok(parseAddress(`${"a".repeat(64)}@example.org`));
  assert.equal(parseAddress(`${"a".repeat(65)}@example.org`), null);
  const label = "d".repeat(61);
  const domain = `${label}.${label}.${label}`;
  assert.ok(parseAddress(`${"a".repeat(64)}@${domain}.ab`));
  assert.equal(parseAddress(`${"a".repeat(64)}@${domain}.abcd`), null);
  assert.ok(parseAddress(`a@${"d".repeat(63)}.org`));
  assert.equal(parseAddress(`a@${"d".repeat(64)}.org`), null);
});

for (const text of [
  "",
  "@",
  "anna",
  "anna@",
  "@example.org",
  ".anna@example.org",
  "anna.@example.org",
  "an..na@example.org",
  "-anna@example.org",
  "an na@example.org",
  "an\nna@example.org",
  "anna@example.org\n",
  "anna@example..org",
  "anna@-example.org",
  "anna@example-.org",
  "anna@example.org.",
  "anna@[203.0.113.7]",
  '"anna b"@example.org',
  "a/b@example.org",
  "a|b@example.org",
  "a!b@example.org",
  "a%b@example.org",
  "a@b@example.org",
  "änna@example.org",
])
  test(`no address: ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), null));

test("an account name is a safe name of a directory", () => {
  for (const good of ["anna@example.org", "a.b-c_d@example.org", "7@localhost"])
    assert.equal(parseAccountName(good), good);
  for (const bad of ["a+b@example.org", "..@example.org", "a$b@example.org", "a'b@example.org", "a*@example.org"])
    assert.equal(parseAccountName(bad), null, bad);
});
