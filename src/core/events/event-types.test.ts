import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT_TYPES, isAdministrators } from "./event-types.ts";

test("each name is a word that people can type", () => {
  for (const type of EVENT_TYPES) assert.match(type, /^[A-Z]+(_[A-Z]+)*$/);
});

test("at the dashboard a name without a domain is the administrator's, and one with a domain a mailbox's", () => {
  assert.ok(isAdministrators("dashboard", "admin"));
  assert.ok(isAdministrators("dashboard", null), "for an event without a name");
  assert.ok(!isAdministrators("dashboard", "anna@example.org"));
  assert.ok(!isAdministrators("imap", "admin"));
  assert.ok(!isAdministrators(null, "admin"));
});
