import assert from "node:assert/strict";
import { test } from "node:test";
import { POLICY, RECIPIENT } from "../../../test/kit/samples.ts";
import { recipientKind } from "./fact-sources.ts";

const directory = { exists: (address: string) => address.toLowerCase() === "alice@example.org" };

test("known, unknown and blocked recipients; other domains and a broken directory are not judged", () => {
  const policy = { ...POLICY, blockedRecipients: ["admin", "alice"] };
  const kind = (recipient: string | null, knows = directory): string =>
    recipientKind(policy, knows, { ...RECIPIENT, recipient });
  assert.equal(kind("Alice@Example.org"), "exists", "its owner may use a blocked name");
  assert.equal(kind("bob@example.org"), "unknown");
  assert.equal(kind("b@example.org"), "unknown");
  assert.equal(kind("@example.org"), "exists", "Postfix refuses an invalid address");
  assert.equal(kind("ADMIN@example.org"), "blocked");
  for (const other of ["admin@elsewhere.test", "postmaster", "postmaster@[192.0.2.1]"])
    assert.equal(kind(other), "exists");
  for (const form of [
    "alice%example.org@[127.0.0.1]",
    "alice@example.org@[127.0.0.1]",
    "example.org!alice@[IPv6:2001:db8::1]",
  ])
    assert.equal(kind(form), "unknown");
  assert.equal(kind(null), "exists");
  const broken = {
    exists: () => {
      throw new Error("database is locked");
    },
  };
  assert.equal(kind("bob@example.org", broken), "exists");
});
