import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { EVENT_TYPES } from "./event-types.ts";
import { eventsMarkdown } from "./reference.ts";

const PAGE = new URL("../../../docs/reference/events.md", import.meta.url);

test("docs/reference/events.md is what the code says", () => {
  if (process.env["UPDATE_EXPECTED"] === "1") writeFileSync(PAGE, eventsMarkdown());
  const hint = "it is stale: run this test with UPDATE_EXPECTED=1 and commit the page";
  assert.ok(readFileSync(PAGE, "utf8") === eventsMarkdown(), hint);
});

test("the page tells every type once, and no table has an empty cell", () => {
  const page = eventsMarkdown();
  for (const type of EVENT_TYPES) assert.equal(page.split(`| \`${type}\` |`).length, 2, type);
  assert.ok(!/\|\s*\|\s*$/m.test(page) && !/\|  \|/.test(page));
});
