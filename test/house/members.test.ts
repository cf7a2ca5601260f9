import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { type Node, parseSync, Visitor } from "oxc-parser";

/** Members that none of our code reads by name, and what reads them. */
const READ_ELSEWHERE: Readonly<Record<string, string>> = {
  Bindings: "Hono, by its type",
  beat: "the page's stream, by a string",
  delivered: "the report, which sums figures by their name",
  hello: "the page's stream, by a string",
};

const sources = globSync("{src,bench,dashboard,scripts}/**/*.{ts,tsx}").filter((file) => !file.endsWith(".test.ts"));

/** Knip finds exports that are never imported, but not methods and members. */
test("every member of a class or type is read", () => {
  const { declared, read } = membersOf(sources.map((file) => [file, readFileSync(file, "utf8")]));
  const unread = [...declared].filter(([name]) => !read.has(name) && READ_ELSEWHERE[name] === undefined);
  assert.deepEqual(Object.fromEntries(unread), {});
  const stale = Object.keys(READ_ELSEWHERE).filter((name) => read.has(name) || !declared.has(name));
  assert.deepEqual(stale, []);
});

test("a member that is never read is found, and one that is read in any way is not", () => {
  const text = `
    export class A { unread(): void {} called(): void {} #hidden = 1; static from(): A { return new A(); } }
    export type T = { written: number; taken: string; asked: boolean; picked: 1; byName: 2 };
    A.from().called();
    const t: T = { written: 1, taken: "", asked: true, picked: 1, byName: 2 };
    const { taken } = t;
    export type P = Pick<T, "picked">;
    export const x = "asked" in t ? taken : t["byName"];`;
  const { declared, read } = membersOf([["a.ts", text]]);
  const unread = [...declared.keys()].filter((name) => !read.has(name));
  assert.deepEqual(unread, ["unread", "written"]);
});

type Members = Readonly<{ declared: ReadonlyMap<string, string>; read: ReadonlySet<string> }>;

/** Goes by name only: a member counts as read if any member of its name is read. */
function membersOf(files: readonly (readonly [file: string, text: string])[]): Members {
  const declared = new Map<string, string>();
  const read = new Set<string>();
  for (const [file, text] of files) {
    const declares = ({ key, computed }: { key: Node; computed: boolean }): void => {
      const name = computed ? null : nameOf(key);
      if (name !== null) declared.set(name, file);
    };
    const reads = (key: Node): void => {
      const name = nameOf(key);
      if (name !== null) read.add(name);
    };
    new Visitor({
      MethodDefinition: (node) => {
        // The parent class calls an overriding method.
        if (node.kind !== "constructor" && !node.override) declares(node);
      },
      PropertyDefinition: (node) => {
        if (!node.override) declares(node);
      },
      TSMethodSignature: declares,
      TSPropertySignature: declares,
      MemberExpression: ({ property }) => reads(property),
      ObjectPattern: ({ properties }) => {
        for (const property of properties) if (property.type === "Property") reads(property.key);
      },
      BinaryExpression: ({ operator, left }) => {
        if (operator === "in") reads(left);
      },
      TSLiteralType: ({ literal }) => reads(literal),
    }).visit(parseSync(file, text).program);
  }
  return { declared, read };
}

function nameOf(node: Node): string | null {
  if (node.type === "Identifier") return node.name;
  return node.type === "Literal" && typeof node.value === "string" ? node.value : null;
}
