// Invariant: An event is data until it is printed: no code decides by its text (ADR 11).

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseSync, Visitor } from "oxc-parser";

/**
 * An event is data until it is printed; `details` and `action` are its words for people. Code that reads them would decide
 * by sentences in which strangers' text is mixed with ours.
 */
const WORDS = new Set(["details", "action"]);
/** Files that may read them, or other members of these names, and why. */
const READERS: Readonly<Record<string, string>> = {
  "src/store/events/event-writer.ts": "writes the words of a record beside its columns",
  "src/store/events/event-search.ts": "reads them from their columns",
  "src/core/events/event.ts": "adds words to words",
  "src/surfaces/cli/print/why.ts": "prints",
  "src/surfaces/cli/verbs/server/events.ts": "prints",
  "src/surfaces/cli/verbs/server/status.ts": "another `action`: what the owner should do",
  "src/guard/explain/timeline.ts": "a step without a reason is described in the event's own words",
  "src/core/events/ecs.ts": "the words become `message` of the Elastic Common Schema",
  "src/surfaces/api/routes.ts": "another `action`: what a request to /api/security asks for",
};

test("only printers and serialisers read the words of an event", () => {
  const found = globSync("src/**/*.ts")
    .filter((path) => !path.endsWith(".test.ts") && !(path in READERS))
    .flatMap((path) => readsIn(path, readFileSync(path, "utf8")));
  assert.deepEqual(found, []);
});

test("each listed reader exists, and still reads them", () => {
  for (const path of Object.keys(READERS)) assert.notDeepEqual(readsIn(path, readFileSync(path, "utf8")), [], path);
});

for (const [what, text] of [
  ["a property", "if (event.details.startsWith('x')) stop();"],
  ["one that may be absent", "event?.action;"],
  ["one by its name", 'event["details"];'],
  ["one that is taken out", "const { action } = event;"],
  ["one that is renamed", "const { details: words } = event;"],
  ["a parameter", "rules.filter(({ type, action }) => type === action);"],
  ["one in a query", "const sql = `SELECT id, details FROM event`;"],
  ["one in a condition", "db.prepare(\"SELECT id FROM event WHERE instr(action, 'x') > 0\");"],
] as const)
  test(`the rule notices ${what}`, () => {
    assert.equal(readsIn("src/store/x.ts", text).length, 1);
  });

test("the rule allows writing these words", () => {
  const text = "const said = { details: `${a}`, action };\nconst { detail } = said;\n// details\n";
  assert.deepEqual(readsIn("src/core/x.ts", text), []);
});

function readsIn(path: string, text: string): readonly string[] {
  const found: string[] = [];
  const at = (start: number, name: string): void =>
    void found.push(`${path}:${text.slice(0, start).split("\n").length} reads ${name}`);
  const isSql = path.startsWith("src/store/") && !path.endsWith("/schema.ts");
  const inText = (value: string, start: number): void => {
    const [, name] = isSql && /\b(SELECT|WHERE|FROM)\b/.test(value) ? (/\b(details|action)\b/.exec(value) ?? []) : [];
    if (name !== undefined) at(start, name);
  };
  new Visitor({
    MemberExpression({ property, computed, start }) {
      const name = computed
        ? property.type === "Literal"
          ? String(property.value)
          : ""
        : property.type === "Identifier"
          ? property.name
          : "";
      if (WORDS.has(name)) at(start, name);
    },
    ObjectPattern({ properties }) {
      for (const property of properties)
        if (property.type === "Property" && property.key.type === "Identifier" && WORDS.has(property.key.name))
          at(property.start, property.key.name);
    },
    TemplateElement({ value, start }) {
      inText(value.raw, start);
    },
    Literal({ value, start }) {
      if (typeof value === "string") inText(value, start);
    },
  }).visit(parseSync(path, text).program);
  return found;
}
