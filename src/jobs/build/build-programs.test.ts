import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { before, describe, test } from "node:test";
import * as common from "@zxcvbn-ts/language-common";
import * as english from "@zxcvbn-ts/language-en";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { buildCommandLine, buildPrograms } from "./build-programs.ts";
import type { Built } from "./bundle.ts";

describe("the build of the programs", () => {
  let built: Built;
  before(async () => {
    built = await buildPrograms(CHECKOUT);
  });
  const textOf = (name: string): string => built.files.find((file) => file.name === name)?.text ?? "";

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
    for (const name of ["backup", "check", "export", "guard", "keeper", "maintenance", "web"]) {
      assert.ok(textOf(`${name}.js`) !== "", name);
      assert.doesNotMatch(textOf(`${name}.js`), /from "(node:)?(https?|http2|tls|zlib)"/, name);
    }
    assert.match(textOf("guard.js"), /getBuiltinModule\("node:http"\)/);
  });

  test("has a guard that starts without TLS, with which Node reads the certificates of all authorities", () => {
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
    const { files, sources } = await buildCommandLine(CHECKOUT);
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
    const path = join(broken, "src", "daemon", "guard", "main.ts");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'import "./gone.ts";\n');
    await assert.rejects(buildPrograms(broken), {
      name: "SetUpFailure",
      message: new RegExp(`^The programs could not be built from ${broken}: Build failed`),
    });
  });
});
