import assert from "node:assert/strict";
import { test } from "node:test";
import { domainsOf } from "./address.ts";

test("a host belongs to every domain above it but the top", () => {
  assert.deepEqual(domainsOf("MX1.mail.Bank.test"), ["mx1.mail.bank.test", "mail.bank.test", "bank.test"]);
  assert.deepEqual(domainsOf("bank.test"), ["bank.test"]);
  assert.deepEqual(domainsOf("test"), []);
});

test("a name of many labels is looked at from its end, within a bound", () => {
  const domains = domainsOf(`${"a.".repeat(120)}bank.test`);
  assert.equal(domains.length, 9);
  assert.equal(domains.at(-1), "bank.test");
});
