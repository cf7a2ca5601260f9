import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { before, describe, test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { encoded } from "../../servers/api/encodings.ts";
import { type Built, buildPrograms } from "./build-programs.ts";
import { CHECKOUT } from "./checkout.ts";

/** Script, styles and one language, as a browser gets them over https, and over http. */
const MOST_PAGE_BYTES = { br: 60_000, gzip: 60_000 } as const;

describe("the build of the programs", () => {
  let built: Built;
  before(async () => {
    built = await buildPrograms(CHECKOUT);
  });
  const textOf = (name: string): string => built.files.find((file) => file.name === name)?.text ?? "";

  test("names its sources, those of the dashboard and of packages too", () => {
    for (const path of [
      "src/daemon/guard/main.ts",
      "src/core/error.ts",
      "dashboard/app.tsx",
      "dashboard/style.css",
      "dashboard/pages/now.tsx",
      "dashboard/texts/now.ts",
    ])
      assert.ok(built.sources.includes(join(CHECKOUT, path)), path);
    assert.ok(built.sources.some((path) => path.includes("/node_modules/zod/")));
    assert.ok(built.sources.every((path) => isAbsolute(path)));
  });

  test("makes a page that a slow line loads in a second", async () => {
    for (const coding of ["br", "gzip"] as const)
      for (const language of ["english", "german"]) {
        const names = ["app.js", "style.css", `${language}.js`].map((name) => `dashboard/${name}`);
        for (const name of names) assert.ok(textOf(name).length > 1_000, name);
        const parts = names.map((name) => new TextEncoder().encode(textOf(name)));
        const sizes = await Promise.all(parts.map(async (one) => (await encoded(one, coding)).length));
        const bytes = sizes.reduce((sum, size) => sum + size, 0);
        assert.ok(bytes < MOST_PAGE_BYTES[coding], `${coding}, ${language}: ${sizes.join(" + ")} = ${bytes} bytes`);
      }
  });

  test("keeps the languages of the page apart, and the page imports the one that it speaks", () => {
    const app = textOf("dashboard/app.js");
    const [english, german] = [textOf("dashboard/english.js"), textOf("dashboard/german.js")];
    assert.match(app, /import\("\.\/english\.js"\)/);
    assert.match(app, /import\("\.\/german\.js"\)/);
    for (const [text, home] of [
      ["Sign out", english],
      ["Signing in", english],
      ["Abmelden", german],
      ["Sperre abgelehnt", german],
    ] as const)
      for (const program of [app, english, german]) assert.equal(program.includes(text), program === home, text);
  });

  test("loads no part of Node that is large before it is used", () => {
    for (const name of ["backup", "check", "export", "guard", "keeper", "maintenance", "web"]) {
      assert.ok(textOf(`${name}.js`) !== "", name);
      assert.doesNotMatch(textOf(`${name}.js`), /from "(node:)?(https?|http2|tls|zlib)"/, name);
    }
    assert.match(textOf("guard.js"), /getBuiltinModule\("node:http"\)/);
  });

  test("that fails stops the start with a sentence", async () => {
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
