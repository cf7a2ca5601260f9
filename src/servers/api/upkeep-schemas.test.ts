import assert from "node:assert/strict";
import { test } from "node:test";
import { MX } from "../../../test/kit/upkeep-kit.ts";
import { dns, dnsQuery, upkeep } from "./upkeep-schemas.ts";

test("a domain is asked for by one name that fits the DNS, and by nothing else", () => {
  assert.ok(dnsQuery.safeParse({}).success);
  assert.ok(dnsQuery.safeParse({ domain: "example.org" }).success);
  for (const wrong of [{ domain: "x".repeat(254) }, { domian: "example.org" }])
    assert.ok(!dnsQuery.safeParse(wrong).success, JSON.stringify(wrong));
});

test("what the guard tells fits what is described", () => {
  const asked = { domain: "example.org", domains: ["example.org"], checkedAt: "2026-11-20T12:00:00.000Z" };
  assert.ok(dns.safeParse({ ...asked, records: [MX] }).success);
  assert.ok(!dns.safeParse({ ...asked, records: [{ ...MX, status: "fine" }] }).success);
  assert.ok(!upkeep.safeParse({ items: [{ name: "other" }] }).success);
});
