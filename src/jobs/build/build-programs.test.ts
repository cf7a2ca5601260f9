import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { before, describe, test } from "node:test";
import * as common from "@zxcvbn-ts/language-common";
import * as english from "@zxcvbn-ts/language-en";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { encoded } from "../../surfaces/api/page.ts";
import { buildOne, buildPrograms } from "./build-programs.ts";
import type { Built } from "./bundle.ts";

const CODINGS = ["br", "gzip"] as const;
const LANGUAGES = ["english", "german"] as const;
/**
 * Maximum bytes that a browser loads, with the styles and the larger language: compressed with Brotli over https or from this machine, with
 * gzip over plain http. Until the sign-in; with the first page of an administrator; with all of an administrator's pages; with the page of
 * a mailbox's user. The code that draws QR codes loads where one is shown.
 */
const MOST_BYTES = {
  "sign-in": { br: 22_000, gzip: 24_000, pages: [], texts: [""] },
  now: { br: 36_000, gzip: 39_500, pages: ["now"], texts: ["", "-admin"] },
  "all of an administrator": { br: 60_000, gzip: 61_440, pages: ["now", "further"], texts: ["", "-admin"] },
  "all of a mailbox": { br: 36_000, gzip: 39_000, pages: ["me"], texts: ["", "-mailbox"] },
} as const;

describe("the build of the programs", () => {
  let built: Built;
  before(async () => {
    built = await buildPrograms(CHECKOUT);
  });
  const textOf = (name: string): string => built.files.find((file) => file.name === name)?.text ?? assert.fail(name);

  test("names its sources, including those of the dashboard and of packages", () => {
    for (const path of [
      "src/programs/guard/main.ts",
      "src/core/error.ts",
      "dashboard/app.tsx",
      "dashboard/index.html",
      "dashboard/style.css",
      "dashboard/pages/now.tsx",
      "dashboard/texts/now.ts",
    ])
      assert.ok(built.sources.includes(join(CHECKOUT, path)), path);
    assert.ok(built.sources.some((path) => path.includes("/node_modules/zod/")));
    assert.ok(built.sources.every((path) => isAbsolute(path)));
  });

  test("loads no large part of Node before its use", () => {
    for (const name of ["backup", "check", "export", "guard", "keeper", "maintenance", "web"])
      assert.doesNotMatch(textOf(`${name}.js`), /from "(node:)?(https?|http2|tls|zlib)"/, name);
    assert.match(textOf("guard.js"), /getBuiltinModule\("node:http"\)/);
  });

  test("has a guard that starts without TLS, for which Node would read the certificates of all authorities", () => {
    const atStart = (of: string) => new RegExp(`^var \\w+ = __toESM\\(require_node_${of}\\(`, "m");
    assert.match(textOf("guard.js"), atStart("http"));
    assert.doesNotMatch(textOf("guard.js"), atStart("tls"));
  });

  test("has no character beyond ASCII, which would make V8 keep a program in two bytes a character", () => {
    const programs = built.files.filter(({ name }) => /^[\w-]+\.js$/.test(name));
    assert.equal(programs.length, 14);
    for (const { name, text } of programs) assert.doesNotMatch(text, /[^\0-\u007f]/, name);
    assert.match(textOf("guard.js"), /\/\[\.!\?\\u2026\]\$\//);
    const raw = built.sources.flatMap((path) => readFileSync(path, "utf8").match(/String\.raw`[^`]*`/g) ?? []);
    assert.ok(raw.length >= 5, `${raw.length} raw templates`);
    for (const text of raw) assert.doesNotMatch(text, /[^\0-\u007f]/);
  });

  test("has the word lists of the packages, in a form that is read quickly", async () => {
    const { files, sources } = await buildOne(CHECKOUT, {
      "command-line": "src/programs/command-line/command-line.ts",
    });
    assert.ok(sources.some((path) => path.endsWith("/language-en/dist/commonWords.json.mjs")));
    const directory = temporaryDirectory();
    const { adjacencyGraphs, dictionary } = common;
    const packages = {
      "language-common": { adjacencyGraphs, dictionary },
      "language-en": { dictionary: english.dictionary, translations: english.translations },
    };
    for (const [name, expected] of Object.entries(packages)) {
      const text = files.find((file) => file.name === `${name}.mjs`)?.text ?? "";
      assert.match(text, /JSON\.parse/);
      assert.doesNotMatch(text, /decompress\(/);
      writeFileSync(join(directory, `${name}.mjs`), text);
      const built: unknown = await import(join(directory, `${name}.mjs`));
      // Printing how 200,000 words differ would take all memory.
      assert.ok(JSON.stringify(built) === JSON.stringify(expected), name);
    }
    const program = files.find(({ name }) => name === "command-line.mjs")?.text ?? "";
    assert.match(program, /import\("\.\/language-en\.mjs"\)/);
    assert.ok(program.length < 2_500_000, "they are in separate files");
  });

  test("a failed build stops the start with a sentence", async () => {
    const broken = temporaryDirectory();
    await assert.rejects(buildPrograms(broken), {
      name: "SetUpFailure",
      message: new RegExp(`^The programs could not be built from ${broken}: Build failed`),
    });
  });

  const names = (): readonly string[] => built.files.map(({ name }) => name);
  const program = (start: string): string => {
    const found = names().filter((name) => new RegExp(`^dashboard/programs/${start}-[A-Z0-9]{8}\\.js$`).test(name));
    return found.length === 1 ? (found[0] ?? "") : assert.fail(`${start}: ${found.join(" ")}`);
  };
  /** Includes everything that it imports before it runs. */
  const withImports = (name: string, known = new Set<string>()): ReadonlySet<string> => {
    known.add(name);
    for (const [, path = ""] of textOf(name).matchAll(/(?:from|import)"\.\/([\w-]+\.js)"/g)) {
      const imported = join("dashboard", "programs", path);
      if (!known.has(imported)) withImports(imported, known);
    }
    return known;
  };

  const sizes = new Map<string, Promise<number>>();
  const sizeOf = (name: string, coding: (typeof CODINGS)[number]): Promise<number> => {
    const known = sizes.get(`${name} ${coding}`);
    if (known !== undefined) return known;
    const size = encoded(new TextEncoder().encode(textOf(name)), coding).then(({ length }) => length);
    sizes.set(`${name} ${coding}`, size);
    return size;
  };

  test("the page loads within a second on a slow line, with a far smaller first part", async (t) => {
    for (const [what, { pages, texts, ...most }] of Object.entries(MOST_BYTES))
      for (const coding of CODINGS)
        for (const language of LANGUAGES) {
          const programs = ["app", ...pages, ...texts.map((part) => `${language}${part}`)];
          const files = new Set(programs.flatMap((one) => [...withImports(program(one))]));
          const parts = await Promise.all(["dashboard/style.css", ...files].map((name) => sizeOf(name, coding)));
          const bytes = parts.reduce((sum, size) => sum + size, 0);
          const says = `${what}, ${coding}, ${language}: ${bytes} bytes in ${files.size + 1} files, of ${most[coding]}`;
          t.diagnostic(says);
          assert.ok(bytes < most[coding], says);
        }
    const qr = await sizeOf(program("qr"), "gzip");
    assert.ok(qr < 4_000, `${qr} bytes draw a QR code`);
  });

  test("names each program of the page after its contents, and only these", () => {
    const programs = names().filter((name) => name.startsWith("dashboard/programs/"));
    assert.ok(programs.length >= 11, programs.join(" "));
    for (const name of programs) assert.match(name, /-[A-Z0-9]{8}\.js$/);
    const asked = programs.flatMap((name) => [...textOf(name).matchAll(/["']\.\/([\w-]+\.js)["']/g)]);
    for (const [, name = ""] of asked) assert.ok(programs.includes(`dashboard/programs/${name}`), name);
  });

  test("the page starts with one script, and loads its imports in parallel", () => {
    const html = textOf("dashboard/index.html");
    const named = [...html.matchAll(/(?:href|src)="programs\/([\w-]+\.js)"/g)].map(([, name]) => name);
    const first = [...withImports(program("app"))].map((name) => basename(name));
    assert.deepEqual(new Set(named), new Set(first));
    assert.match(html, new RegExp(`<script type="module" src="programs/${basename(program("app"))}">`));
  });

  test("the page keeps the languages separate, and the texts of mailboxes from those of the administrator", () => {
    const programs = names().filter((name) => name.startsWith("dashboard/programs/"));
    for (const [text, home] of [
      ["Skip to content", "english"],
      ["Signing in", "english"],
      ["Ban expired", "english-admin"],
      ["Where is my mail?", "english-mailbox"],
      ["Zum Inhalt", "german"],
      ["Sperre abgelehnt", "german-admin"],
      ["Wo ist meine Mail?", "german-mailbox"],
    ] as const)
      for (const name of programs)
        assert.equal(textOf(name).includes(text), name === program(home), `${text}: ${name}`);
  });
});
