import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import {
  BESIDE,
  LAB_ALONE,
  LAB_HEAVY,
  LAB_IN_PAIRS,
  LONGEST,
  MACHINE_ALONE,
  ON_DISK,
} from "../../scripts/test-files.ts";
import { knownEquivalents, outdated } from "../mutants/equivalents.ts";
import { mutantsIn } from "../mutants/mutants.ts";
import { sourcesIn } from "../mutants/scope.ts";

type File = Readonly<{ path: string; text: string }>;
type Rule = Readonly<{
  name: string;
  applies: (path: string) => boolean;
  /** Returns what is wrong with the file, or null. */
  finds: (file: File) => string | null;
  /** A file that breaks the rule, to see it fail. */
  broken: File;
}>;

/** Files without behaviour: types and ports, tables that other tests walk, entry points that e2e runs. */
const NEEDS_NO_TEST = Object.entries({
  "core/events": ["event", "reasons"],
  "core/decide": ["decision", "facts", "policy"],
  guard: ["ports", "storage-ports", "network-ports", "admin-ports", "mailbox-ports"],
  admin: ["filters", "me", "server"],
  "admin/declare": ["items", "verb", "control", "reports"],
  settings: ["layout"],
}).flatMap(([folder, names]) => names.map((name) => `src/${folder}/${name}.ts`));
/** Programs that test/e2e starts as a whole, and files that only wire them. A unit test would repeat the wiring. */
const ENTRY_POINTS =
  /^src\/programs\/(command-line\/(command-line|connect)|set-up\/(start|serve)|[a-z-]+\/(main|[a-z]+-main|stand-in-main|compose(-[a-z]+)?))\.ts$/;
const OWN_SOURCE = /^(src|dashboard|test|bench|scripts|clients)\/.*\.(tsx?|mjs|js)$/;
/** These words are in pieces here, so that this file does not break its own rules. */
const LATER = pieces("TO", "DO|FIX", "ME|XX", "X\\b");
const ALONE = pieces("\\.(on", "ly|to", "do)\\(");
const SKIP = pieces("\\bsk", "ip: true|\\.sk", "ip\\(");
const MACHINE_PATH = pieces("/wo", "rk/|/ho", "me/[a-z]+/|/Us", "ers/");
/** A time limit that does not depend on the speed of the machine. */
const BARE_DEADLINE =
  /\btimeout: \d[\d_]{3}|AbortSignal\.timeout\(\d|lab\.server\..*"-w", "\d|(now\(\) - \w+|\b(ms|\w+Ms)) < \d[\d_]*[,)]/;
/** A number with a plural, which one day would read "1 records are". */
const COUNTED =
  /\$\{([\w.#()]*(?:length|size|[cC]ount|[tT]otal|left|lifted|expired|bad|ended|events\(\)))\} (?!of\b)[a-z]+s\b(?<!ss|us|is|as)/;

const rules: readonly Rule[] = [
  {
    name: "nothing is left for later",
    applies: (path) => OWN_SOURCE.test(path) || path.startsWith("scripts/"),
    finds: firstLine(LATER),
    broken: { path: "src/core/x.ts", text: `// ${"to".toUpperCase()}DO: finish\n` },
  },
  {
    name: "no test has only(), and a skip gives its reason",
    applies: (path) => path.endsWith(".test.ts"),
    finds: (file) => firstLine(ALONE)(file) ?? firstLine(SKIP)(file),
    broken: { path: "src/core/x.test.ts", text: `test.${"ONLY".toLowerCase()}("x", () => {});\n` },
  },
  {
    name: "names say what is inside: no utils, helpers, managers; no barrels",
    applies: (path) => OWN_SOURCE.test(path),
    finds: ({ path }) =>
      /^(index|utils?|helpers?|misc|common|[a-z-]*manager)\.(ts|js)$/.test(basename(path)) ? "its name" : null,
    broken: { path: "src/core/utils.ts", text: "" },
  },
  {
    name: "no checks are switched off",
    applies: (path) => OWN_SOURCE.test(path) && !path.startsWith("test/house/"),
    finds: firstLine(/@ts-ignore|@ts-expect-error|@ts-nocheck|(oxlint|eslint|biome)-disable(?!.* -- )|biome-ignore/),
    broken: { path: "src/core/x.ts", text: "// @ts-ignore\n" },
  },
  {
    name: "tests wait for conditions, never for a fixed time",
    applies: (path) => path.endsWith(".test.ts") && !path.startsWith("test/house/"),
    finds: firstLine(/await (setTimeout|sleep)\(/),
    broken: { path: "src/core/x.test.ts", text: "await setTimeout(500);\n" },
  },
  {
    name: "a test's deadlines in numbers go through patience",
    applies: (path) => /^test\/.*\.ts$|^src\/.*\.test\.ts$/.test(path) && !path.startsWith("test/house/"),
    finds: firstLine(BARE_DEADLINE),
    broken: { path: "test/e2e/x.test.ts", text: "assert.ok(tookMs < 5_000);\n" },
  },
  {
    name: "a hook outside of describe names its file, because others run in the same process",
    applies: (path) => /^src\/.*\.test\.ts$/.test(path),
    finds: firstLine(/^(beforeEach|afterEach)\(/),
    broken: { path: "src/core/x.test.ts", text: "beforeEach(() => {});\n" },
  },
  {
    name: "no path of the machine it was written on",
    applies: (path) => path !== "package-lock.json",
    finds: firstLine(MACHINE_PATH),
    broken: { path: "README.md", text: `see ${join("/", "home", "someone")}/x\n` },
  },
  {
    name: "the files that comments name exist",
    applies: (path) => /^(src|dashboard|bench|scripts)\/.*\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path),
    finds: ({ text }) =>
      text
        .split("\n")
        .filter((line) => /^\s*(\/\/|\/?\*)/.test(line))
        .flatMap((line) => line.match(/(?<![\w.-])[a-z][\w-]*\.tsx?(?![\w-])/g) ?? [])
        .find((name) => !NAMES.has(name)) ?? null,
    broken: { path: "src/core/x.ts", text: "/** As in gone.ts. */\n" },
  },
  {
    name: "whatever is counted in a message is counted by plural()",
    applies: isSource,
    finds: firstLine(COUNTED),
    broken: { path: "src/core/x.ts", text: "`${bad.length} records`" },
  },
  {
    name: "every source file has its test beside it",
    applies: isSource,
    finds: ({ path }) =>
      NEEDS_NO_TEST.includes(path) || ENTRY_POINTS.test(path) || hasTest(path) ? null : "no test names it",
    broken: { path: "src/core/untested.ts", text: "export const x = 1;\n" },
  },
];

const TESTED = reachedByTests();
const NAMES: ReadonlySet<string> = new Set(tracked().map((path) => basename(path)));
const files = tracked().filter((path) => existsSync(path) && !/\.(png|ico|woff2|db)$/.test(path));

for (const rule of rules)
  test(rule.name, () => {
    assert.notEqual(rule.finds(rule.broken), null, "the rule does not notice its own example");
    const found = files.filter(rule.applies).flatMap((path) => {
      const wrong = rule.finds({ path, text: readFileSync(path, "utf8") });
      return wrong === null ? [] : [`${path}: ${wrong}`];
    });
    assert.deepEqual(found, []);
  });

test("each listed exception exists", () => {
  const ofTests = [BESIDE, ON_DISK, MACHINE_ALONE, LAB_ALONE, LAB_IN_PAIRS, LAB_HEAVY, LONGEST];
  const gone = [NEEDS_NO_TEST, ...ofTests].flat().filter((path) => !existsSync(path));
  assert.deepEqual(gone, []);
});

test("each listed equivalent mutant is still one of its file", () =>
  assert.deepEqual(outdated(mutantsIn(".", sourcesIn(".")), knownEquivalents()), []));

function isSource(path: string): boolean {
  return /^src\/.*\.ts$/.test(path) && !path.endsWith(".test.ts");
}

/** The output of `git ls-files` in a checkout, or all files in an unpacked archive. */
function tracked(): readonly string[] {
  try {
    return execFileSync("git", ["ls-files", "-z"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .split("\0")
      .filter((path) => path !== "");
  } catch {
    return globSync("{src,test,bench,scripts,clients,docs,security}/**/*.*").filter((path) => statSync(path).isFile());
  }
}

/** Whether a test imports the file, or one in its folder reaches it through other files of that folder. */
function hasTest(path: string): boolean {
  const named = [".test.ts", ".machine.test.ts"].map((end) => path.replace(/\.ts$/, end));
  return named.some((test_) => existsSync(test_)) || TESTED.has(path);
}

function reachedByTests(): ReadonlySet<string> {
  const reached = new Set(globSync("src/**/*.test.ts"));
  for (const file of reached) {
    const from = file.endsWith(".test.ts")
      ? /(?:from |import\(|URL\()"(\.\.?\/[^"]*\.tsx?)"/g
      : /(?: from |import\()"(\.\/[^"]+)"/g;
    for (const [, name = ""] of readFileSync(file, "utf8").matchAll(from)) reached.add(join(dirname(file), name));
  }
  return reached;
}

function firstLine(pattern: RegExp): (file: File) => string | null {
  return ({ text }) => {
    const lines = text.split("\n");
    const at = lines.findIndex((line) => pattern.test(line));
    return at < 0 ? null : `line ${at + 1}: ${(lines[at] ?? "").trim().slice(0, 100)}`;
  };
}

function pieces(...parts: readonly string[]): RegExp {
  return new RegExp(parts.join(""));
}
