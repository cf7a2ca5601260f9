import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { commands } from "../../src/surfaces/cli/commands.ts";
import { parse } from "../../src/surfaces/cli/parse.ts";

const PAGES = [...globSync("*.md"), ...globSync("docs/**/*.md")];

test("every link between pages leads to a file and a heading that exist", () => {
  assert.deepEqual(brokenLinks("docs/x.md", "[a](no-page.md) [b](../README.md#no-heading)").length, 2);
  const broken = PAGES.flatMap((page) => brokenLinks(page, readFileSync(page, "utf8")));
  assert.deepEqual(broken, []);
});

test("every command that a page prints is one that the command line takes", () => {
  assert.equal(wrongCommands("x.md", "`./ghostinbox why --no-option`").length, 1);
  const pages = PAGES.filter((page) => page !== "CHANGELOG.md");
  const wrong = pages.flatMap((page) => wrongCommands(page, readFileSync(page, "utf8")));
  assert.deepEqual(wrong, []);
});

test("every command is named on a page that people write", () => {
  const text = PAGES.filter((page) => !/reference|CHANGELOG/.test(page))
    .map((page) => readFileSync(page, "utf8"))
    .join("\n");
  assert.deepEqual(
    commands.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(text)),
    [],
  );
});

test("docs/README.md links to every page", () => {
  const overview = readFileSync("docs/README.md", "utf8");
  const missing = globSync("docs/*.md").filter((page) => !overview.includes(`(${page.replace("docs/", "")}`));
  assert.deepEqual(missing, ["docs/README.md"]);
});

test("every page that a message or a comment names exists", () => {
  const sources = globSync(["{src,dashboard,bench}/**/*.{ts,tsx}", "scripts/*", "examples/*"], { withFileTypes: true });
  const files = sources.filter((one) => one.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const named = files.flatMap((file) => readFileSync(file, "utf8").match(/\bdocs\/[\w/-]+\.md\b/g) ?? []);
  assert.ok(named.includes("docs/alerts.md"));
  const missing = named.filter((page) => !existsSync(page));
  assert.deepEqual(missing, []);
});

test("a page that mentions the guard says what it is, or links to that", () => {
  const speaks = globSync("docs/*.md").filter((page) => /\bguard\b/.test(readFileSync(page, "utf8")));
  const explains = /glossary\.md#this-server|\*guard\*|^\| guard \|/m;
  assert.ok(speaks.length > 5);
  const silent = speaks.filter((page) => page !== "docs/README.md" && !explains.test(readFileSync(page, "utf8")));
  assert.deepEqual(silent, []);
});

function brokenLinks(page: string, text: string): readonly string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([, path = "", anchor]) => {
    const target = path === "" ? page : join(dirname(page), path);
    if (!existsSync(target)) return [`${page}: ${path}`];
    if (anchor === undefined || headings(readFileSync(target, "utf8")).has(anchor)) return [];
    return [`${page}: ${path}#${anchor}`];
  });
}

/** The anchors that GitHub gives to headings. */
function headings(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function wrongCommands(page: string, text: string): readonly string[] {
  const printed = text.matchAll(/(?:^ *|^.*\| |`)(?:sudo )?\.\/ghostinbox ([^`\n]*)/gm);
  return [...printed].flatMap(([, line = ""]) => {
    const parsed = parse(words(line), commands);
    return parsed.type === "wrong" ? [`${page}: ${line}: ${parsed.message}`] : [];
  });
}

/** Splits the line as a shell would: quotes hold a word together, and `#` starts a comment. */
function words(line: string): readonly string[] {
  const [command = ""] = line.split(/ +#/);
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? "",
  );
}
