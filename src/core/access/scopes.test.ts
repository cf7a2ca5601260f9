import assert from "node:assert/strict";
import { test } from "node:test";
import { parseScopes, printScopes, ROLES, roleOf, SCOPES } from "./scopes.ts";

test("scopes and roles are read from a list, and an unknown word makes it invalid", () => {
  assert.deepEqual(parseScopes("read"), ["read"]);
  assert.deepEqual(parseScopes("allow, read"), ["read", "allow"]);
  assert.deepEqual(parseScopes("viewer,ban"), ["read", "ban"]);
  assert.deepEqual(parseScopes("owner"), SCOPES);
  for (const wrong of ["", "read,", "everything", "read ban", "Read"]) assert.equal(parseScopes(wrong), null, wrong);
  for (const scopes of Object.values(ROLES)) assert.deepEqual(parseScopes(printScopes(scopes)), scopes);
});

test("roleOf returns the highest role whose scopes are all given", () => {
  for (const [role, scopes] of Object.entries(ROLES)) assert.equal(roleOf(scopes), role);
  assert.equal(roleOf(["read", "ban"]), "viewer");
  assert.equal(roleOf(["read", "ban", "allow", "greylist", "queue"]), "operator");
  assert.equal(roleOf(["read", "ban", "allow", "admin"]), "viewer");
  assert.equal(roleOf(["read", "ban", "admin"]), "viewer");
});
