import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { versionIn } from "../../host/running/checkout.ts";
import { changedPrograms, installPrograms } from "./program.ts";

describe("the programs of the server", () => {
  const layout = temporaryLayout();
  const programs = join(layout.program, "dashboard", "programs");
  const pagePrograms = (name: string): readonly string[] =>
    readdirSync(programs).filter((one) => one.replace(/-[A-Z0-9]{8}\.js$/, "") === name);
  before(async () => {
    chmodSync(layout.data, 0o755);
    await installPrograms(layout);
  });

  test("are readable and executable for users without rights, with their runtime", () => {
    const names = readdirSync(layout.program).toSorted();
    const built =
      "backup check export guard guard-databases keeper keeper-databases maintenance report stand-in web web-lookups web-passwords web-trials";
    const others = ["dashboard", "node", "package.json", "per_user_bayes.pm", "spam-head.py", "spam_view.py"];
    assert.deepEqual(names, [...built.split(" ").map((name) => `${name}.js`), ...others].toSorted());
    for (const name of names) {
      const { mode } = statSync(join(layout.program, name));
      assert.equal(mode & 0o022, 0, `others may write ${name}`);
      assert.equal(mode & 0o004, 0o004, `others may not read ${name}`);
    }
    assert.equal(statSync(layout.node).mode & 0o001, 0o001);
    assert.match(versionIn(layout.program) ?? "", /^\d+\.\d+\.\d+$/);
    for (const name of ["index.html", "style.css", "icon.svg"])
      assert.ok(statSync(join(layout.program, "dashboard", name)).size > 100, name);
    for (const name of ["app", "english", "german"]) assert.equal(pagePrograms(name).length, 1, name);
  });

  test("run without the checkout and its packages", async () => {
    const env = { GHOSTINBOX_DATA: layout.data };
    const ran = await runProgram(layout.node, [join(layout.program, "web.js")], { env });
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /^[^\n]*web\.toml cannot be read: ENOENT[^\n]*\n$/);
  });

  test("are not written again if nothing has changed", async () => {
    const written = () => readdirSync(layout.program).map((name) => statSync(join(layout.program, name)).ino);
    const before_ = written();
    await installPrograms(layout);
    assert.deepEqual(written(), before_);
    writeFileSync(join(layout.program, "guard.js"), "// by hand\n");
    assert.deepEqual(await changedPrograms(layout), ["guard.js"]);
    await installPrograms(layout);
    assert.notEqual(readFileSync(join(layout.program, "guard.js"), "utf8"), "// by hand\n");
  });

  test("replace another version's, whose page has different program names", async () => {
    writeFileSync(join(programs, "now-ABCDEFGH.js"), "// of another version\n");
    await installPrograms(layout);
    assert.equal(pagePrograms("now").length, 1);
    assert.ok(!pagePrograms("now").includes("now-ABCDEFGH.js"));
  });
});
