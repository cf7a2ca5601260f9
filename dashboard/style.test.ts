import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** Properties that take no space. */
const DRAWN = ["color", "stroke", "outline", "outline-offset"];
/** With three lines and the gap, on a phone, where the navigation is below. */
const TOAST_REM = 8;
const BELOW_TOASTS_REM = 4.6;
/** Of those that cannot be undone: attempt.ts. */
const MOST_TOASTS = 4;

const style = readFileSync(new URL("style.css", import.meta.url), "utf8");

// A page that was checked in light colours is therefore laid out the same in others: test/lab/looks.ts.
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

test("parts that stay in the window while the page scrolls leave room for the focused element", () => {
  assert.match(style, /^:root:has\(\.pending\) \{\n {2}scroll-padding-top: [1-9]/m);
  assert.match(style, /^ {2}scroll-padding-bottom: min\(var\(--toasts\), [1-9]/m);
  const rooms = [...style.matchAll(/^ {2}--toasts: (\d+)rem;$/gm)].map(([, rem]) => Number(rem));
  assert.equal(rooms.length, 3);
  for (const [index, count] of [1, 2, MOST_TOASTS].entries())
    assert.ok((rooms[index] ?? 0) >= count * TOAST_REM + BELOW_TOASTS_REM, `${count}: ${rooms[index]}rem`);
});
