import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** What is drawn without taking room. */
const DRAWN = ["color", "stroke", "outline", "outline-offset"];
const COLOUR = /^#[0-9a-f]{6}$/;

/** The declarations in the blocks of a media query that asks for this feature. */
function declarationsFor(feature: string): readonly (readonly [property: string, value: string])[] {
  const style = readFileSync(new URL("style.css", import.meta.url), "utf8");
  const blocks = [...style.matchAll(/^@media \((.+)\) \{\n([^]*?)^\}/gm)];
  const asked = blocks.filter(([, query = ""]) => query.includes(feature));
  return asked.flatMap(([, , block = ""]) =>
    [...block.matchAll(/^ +([a-z-]+): (.+);$/gm)].map(([, property = "", value = ""]) => [property, value] as const),
  );
}

// So the page that was looked at in light colours stands the same in others: test/lab/looks.ts.
test("dark and forced colours move nothing", () => {
  const [dark, forced] = [declarationsFor("prefers-color-scheme"), declarationsFor("forced-colors")];
  assert.ok(dark.length > 10 && forced.length > 2, "the style sheet says something of both");
  assert.deepEqual(
    dark.filter(([property, value]) => !property.startsWith("--") || !COLOUR.test(value)),
    [],
  );
  assert.deepEqual(
    forced.filter(([property]) => !DRAWN.includes(property)),
    [],
  );
});
