import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressLiteral,
  domainOf,
  domainsOf,
  isDomain,
  localPart,
  parseAccountName,
  parseAddress,
  parseSenderPattern,
  withoutExtension,
  withoutTrailingDots,
} from "./address.ts";

test("an address is lowercased and split", () => {
  const parsed = parseAddress("Anna.Berg+List@Mail.Example.ORG");
  assert.ok(parsed !== null);
  assert.equal(parsed, "anna.berg+list@mail.example.org");
  assert.equal(localPart(parsed), "anna.berg+list");
  assert.equal(domainOf(parsed), "mail.example.org");
});

test("a domain with umlauts is converted to its DNS name, and converting it twice changes nothing", () => {
  assert.equal(parseAddress("info@MÜLLER.de"), "info@xn--mller-kva.de");
  assert.equal(parseAddress("info@xn--mller-kva.de"), "info@xn--mller-kva.de");
  assert.equal(parseSenderPattern("*@*.müller.de"), "*@*.xn--mller-kva.de");
  assert.equal(parseAddress("info@0\uff581.com"), null, "a label that looks like an IPv4 address");
  for (const domain of ["müller.de/x", "mü_ller.de", "xn--ü.de", "１２７.0.0.1"])
    assert.equal(parseAddress(`info@${domain}`), null, domain);
  assert.equal(parseAddress(`info@${"ü".repeat(100)}.de`), null);
});

test("lengths of RFC 5321 hold at the edge", () => {
  assert.ok(parseAddress(`${"a".repeat(64)}@example.org`));
  assert.equal(parseAddress(`${"a".repeat(65)}@example.org`), null);
  assert.ok(parseAddress(`a@${"d".repeat(63)}.org`));
  assert.equal(parseAddress(`a@${"d".repeat(64)}.org`), null);
});

test("an address has at most 254 characters, a domain 253", () => {
  const ofLength = (length: number): string => "d.".repeat(150).slice(0, length - 2) + "dd";
  assert.equal(ofLength(253).length, 253);
  assert.ok(isDomain(ofLength(253)));
  assert.ok(!isDomain(ofLength(254)));
  assert.ok(parseAddress(`a@${ofLength(252)}`));
  assert.equal(parseAddress(`a@${ofLength(253)}`), null);
});

test("an extension belongs to the address before it, whatever its length", () => {
  assert.equal(withoutExtension("anna+shop@example.org"), "anna@example.org");
  assert.equal(withoutExtension("a+@example.org"), "a@example.org");
  for (const plain of ["anna@example.org", "+shop@example.org", "anna@exam+ple.org", "anna@exam+ple", "anna+shop", ""])
    assert.equal(withoutExtension(plain), plain);
});

for (const [why, texts] of Object.entries({
  "a part is missing": ["", "@", "anna", "anna@", "@example.org"],
  "a dot stands alone": [".anna@example.org", "anna.@example.org", "an..na@example.org", "anna@example..org"],
  "a part ends in punctuation": ["-anna@example.org", "anna@-example.org", "anna@example-.org", "anna@example.org."],
  "it has white space": ["an na@example.org", "an\nna@example.org", "anna@example.org\n", '"anna b"@example.org'],
  "it has special characters": ["a/b@example.org", "a|b@example.org", "a!b@example.org", "a%b@example.org"],
  "it is not plain": ["anna@[203.0.113.7]", "a@b@example.org", "änna@example.org"],
}))
  for (const text of texts)
    test(`not an address, because ${why}: ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), null));

test("a dot at the end does not make a different address", () => {
  assert.equal(withoutTrailingDots("anna@example.org."), "anna@example.org");
  assert.equal(withoutTrailingDots("anna@example.org.."), "anna@example.org");
  assert.equal(withoutTrailingDots("@."), "@");
  assert.equal(withoutTrailingDots("@example.org."), "@example.org");
  for (const same of ["", ".", "anna@example.org", "anna."]) assert.equal(withoutTrailingDots(same), same);
});

test("an address literal names a host", () => {
  assert.equal(addressLiteral("anna@[203.0.113.1]"), "203.0.113.1");
  for (const written of ["IPv6:2001:DB8::1", "ipv6:2001:db8:0::1", "2001:db8::1"])
    assert.equal(addressLiteral(`anna@[${written}]`), "2001:db8::1", written);
  const none =
    "] anna@example.org anna@203.0.113.1] anna@[x] anna@[] anna@[203.0.113.1x anna@x203.0.113.1] [203.0.113.1]x";
  for (const text of ["", ...none.split(" ")]) assert.equal(addressLiteral(text), null, text);
});

test("an account name is a safe directory name", () => {
  for (const good of ["anna@example.org", "a.b-c_d@example.org", "7@localhost"])
    assert.equal(parseAccountName(good), good);
  for (const bad of ["a+b@example.org", "..@example.org", "a$b@example.org", "a'b@example.org", "a*@example.org"])
    assert.equal(parseAccountName(bad), null, bad);
});

test("a host belongs to every domain above it except the top", () => {
  assert.deepEqual(domainsOf("MX1.mail.Bank.test"), ["mx1.mail.bank.test", "mail.bank.test", "bank.test"]);
  assert.deepEqual(domainsOf("bank.test"), ["bank.test"]);
  assert.deepEqual(domainsOf("test"), []);
});

test("of a name with many labels, only a bounded number from its end is read", () => {
  const domains = domainsOf(`${"a.".repeat(120)}bank.test`);
  assert.equal(domains.length, 9);
  assert.equal(domains.at(-1), "bank.test");
});

test("a sender pattern is an address or a pattern, in lower case", () => {
  assert.equal(parseSenderPattern("*@Wealthsimple.com"), "*@wealthsimple.com");
  assert.equal(parseSenderPattern("news?@*.example"), "news?@*.example");
});

test("a pattern contains nothing that could be another line, word or comment of a configuration file", () => {
  const spaced = ["a b@c.example", "a@c.example\nscore X 0"];
  for (const text of [...spaced, "", "example.org", "a@b@c", "a#b@c.example", "a@b#c", "ä@b.example"])
    assert.equal(parseSenderPattern(text), null, text);
});
