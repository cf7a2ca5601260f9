import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** What is drawn without taking room. */
const DRAWN = ["color", "stroke", "outline", "outline-offset"];

const style = readFileSync(new URL("style.css", import.meta.url), "utf8");

// So the page that was looked at in light colours stands the same in others: test/lab/looks.ts.
test("dark and forced colours move nothing", () => {
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

test("what stays in the window while the page scrolls leaves room for the focused element", () => {
  for (const [part, side] of [
    ["pending", "top"],
    ["toast", "bottom"],
  ] as const)
    assert.match(style, new RegExp(`^:root:has\\(\\.${part}\\) \\{\n  scroll-padding-${side}: \\d`, "m"));
});
