import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { commentedToml } from "../../src/settings/reference.ts";
import { isSettingKey, sectionOf, settingKeys } from "../../src/settings/schema.ts";
import { statementsOf } from "../../src/settings/toml/statements.ts";
import { settingProblems } from "../kit/loaded-settings.ts";

/** A block of a page, as a reader copies it. */
type Block = Readonly<{ page: string; text: string; keys: readonly string[] }>;

/** The file that set-up writes. */
const SHIPPED = commentedToml({ domains: ["example.org"], hostname: "mail.example.org" });
const TABLES = new Set(settingKeys().map(sectionOf).concat(["limits"]));
const PAGES = ["README.md", "SECURITY.md", "CONTRIBUTING.md", ...globSync("docs/*.md")];

const blocks = PAGES.flatMap((page) => blocksOf(page, readFileSync(page, "utf8")));

test("the pages have blocks of settings, and the rule finds each kind", () => {
  assert.ok(blocks.length >= 10, `only ${blocks.length}`);
  const kinds =
    "    tls.cert = 1\n\n```toml\n# first\n[tls]\ncert = 1\n```\n\n    [sources.x]\n    a = 1\n\n    echo = 1";
  const found = blocksOf("x.md", kinds).map(({ keys }) => keys);
  assert.deepEqual(found, [["tls.cert"], ["tls.cert"]]);
});

for (const { page, text, keys } of blocks)
  test(`${page}: ${keys[0]} can be pasted into the shipped file, before and after everything`, () => {
    assert.deepEqual(settingProblems(`${SHIPPED}\n${text}`), []);
    assert.deepEqual(settingProblems(`${text}\n${SHIPPED}`), []);
    for (const key of keys) assert.ok(isSettingKey(key), key);
  });

test("blocks can be pasted after each other in any order, even two of one table", () => {
  for (const first of blocks)
    for (const second of blocks) {
      const found = settingProblems(`${SHIPPED}${first.text}\n${second.text}\n`);
      if (first.keys.some((key) => second.keys.includes(key)))
        assert.match(found.join(), /set twice .* in lines \d+ and \d+/);
      else assert.deepEqual(found, [], `${first.page} and ${second.page}`);
    }
  assert.equal(settingProblems(`${SHIPPED}[tls]\n\n[tls]\n`).length, 1, "what would go wrong with tables");
});

test("blocks can be pasted into the examples, because these open no table", () => {
  for (const file of globSync("examples/*.toml")) {
    const tables = statementsOf(readFileSync(file, "utf8")).filter(({ kind }) => kind !== "value");
    assert.deepEqual(tables, [], file);
  }
});

/** Fenced blocks and indented lines that set one of our settings or open one of our tables. */
function blocksOf(page: string, markdown: string): readonly Block[] {
  const fences = [...markdown.matchAll(/^```[a-z]*\n([\s\S]*?)^```/gm)].map(([, text = ""]) => text);
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, "");
  const indented = [...prose.matchAll(/(?:^ {4}.*\n?)+/gm)].map(([text]) => text.replace(/^ {4}/gm, ""));
  return [...fences, ...indented].flatMap((text) => {
    const statements = statementsOf(text);
    const isOurs = statements.some(
      ({ path, kind }) => isSettingKey(path.join(".")) || (kind === "table" && TABLES.has(path.join("."))),
    );
    const keys = statements.filter(({ kind }) => kind === "value").map(({ path }) => path.join("."));
    return isOurs ? [{ page, text, keys }] : [];
  });
}
