import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../../adapters/machine/run-program.ts";
import { layoutOf } from "../../settings/layout.ts";
import { CHECKOUT } from "./checkout.ts";
import { inOneByte, installPrograms } from "./program.ts";

describe("the programs of the server", () => {
  const layout = layoutOf(temporaryDirectory());
  before(async () => {
    chmodSync(layout.data, 0o755);
    await installPrograms(CHECKOUT, layout);
  });

  test("lie where users without rights can read and run them, with their runtime", () => {
    const names = readdirSync(layout.program).toSorted();
    assert.deepEqual(names, [
      "dashboard",
      "guard.js",
      "keeper.js",
      "maintenance.js",
      "node",
      "package.json",
      "spam-head.py",
      "spam_view.py",
      "web.js",
    ]);
    for (const name of names) {
      const { mode } = statSync(join(layout.program, name));
      assert.equal(mode & 0o022, 0, `others may write ${name}`);
      assert.equal(mode & 0o004, 0o004, `others may not read ${name}`);
    }
    assert.equal(statSync(layout.node).mode & 0o001, 0o001);
    for (const name of ["index.html", "style.css", "icon.svg", "app.js"])
      assert.ok(statSync(join(layout.program, "dashboard", name)).size > 100, name);
  });

  test("run without the checkout and its packages", async () => {
    const env = { GHOSTINBOX_DATA: layout.data };
    const ran = await runProgram(layout.node, [join(layout.program, "web.js")], { env });
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /^[^\n]*web\.toml cannot be read: ENOENT[^\n]*\n$/);
  });

  test("load no part of Node that is large before they use it", () => {
    for (const name of ["guard", "keeper", "maintenance", "web"]) {
      const text = readFileSync(join(layout.program, `${name}.js`), "utf8");
      assert.doesNotMatch(text, /from "(node:)?(https?|http2|tls|zlib)"/, name);
    }
    const guard = readFileSync(join(layout.program, "guard.js"), "utf8");
    assert.match(guard, /getBuiltinModule\("node:http"\)/);
  });

  test("are not written again where nothing has changed", async () => {
    const written = () => readdirSync(layout.program).map((name) => statSync(join(layout.program, name)).ino);
    const before_ = written();
    await installPrograms(CHECKOUT, layout);
    assert.deepEqual(written(), before_);
    writeFileSync(join(layout.program, "guard.js"), "// by hand\n");
    await installPrograms(CHECKOUT, layout);
    assert.notEqual(readFileSync(join(layout.program, "guard.js"), "utf8"), "// by hand\n");
  });

  test("that cannot be built stop the start with a sentence, and the old ones stay", async () => {
    const broken = temporaryDirectory();
    for (const name of ["guard", "web", "keeper"]) {
      mkdirSync(join(broken, "src", "daemon", name), { recursive: true });
      writeFileSync(join(broken, "src", "daemon", name, "main.ts"), 'import "./gone.ts";\n');
    }
    const guard = readFileSync(join(layout.program, "guard.js"), "utf8");
    await assert.rejects(installPrograms(broken, layout), {
      name: "SetUpFailure",
      message: new RegExp(`^The programs could not be built from ${broken}: Build failed`),
    });
    assert.equal(readFileSync(join(layout.program, "guard.js"), "utf8"), guard);
  });
});

test("what needs two bytes is escaped and means the same; what does not is left alone", () => {
  for (const text of ["plain", "é«»", "…", "\u{1f600} and \u2028"]) {
    const written = inOneByte(text);
    assert.ok(
      [...written].every((character) => character <= "\xff"),
      written,
    );
    assert.equal(JSON.parse(`"${written}"`), text);
  }
  assert.equal(inOneByte("/[.…]$/ é"), "/[.\\u2026]$/ é");
});
