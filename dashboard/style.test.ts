import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** What is drawn without taking room. */
const DRAWN = ["color", "stroke", "outline", "outline-offset"];

// So the page that was looked at in light colours stands the same in others: test/lab/looks.ts.
test("dark and forced colours move nothing", () => {
  const style = readFileSync(new URL("style.css", import.meta.url), "utf8");
  assert.ok(
    !style.includes("prefers-color-scheme"),
    "dark colours are those of light-dark(), which takes nothing else",
  );
  const [, forced = ""] = /^@media \(forced-colors: active\) \{\n([^]*?)^\}/m.exec(style) ?? [];
  const set = [...forced.matchAll(/^ +([a-z-]+): .+;$/gm)].map(([, property = ""]) => property);
  assert.ok(set.length > 2, "the style sheet says something of them");
  const others = set.filter((property) => !DRAWN.includes(property));
  assert.deepEqual(others, []);
});
