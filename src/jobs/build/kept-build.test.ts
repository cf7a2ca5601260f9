import assert from "node:assert/strict";
import { chmodSync, cpSync, existsSync, mkdirSync, rmdirSync, statSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { contentOf, modeOf, put } from "../../../test/kit/files.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { CHECKOUT } from "../../host/running/checkout.ts";
import { keepAll, keptBuild } from "./kept-build.ts";
import { keptFiles } from "./kept-files.ts";

/** A checkout with one source; `built`: how often it was built. */
class Checkout {
  readonly path = temporaryDirectory();
  readonly directory = join(this.path, "node_modules", ".cache", "start");
  readonly kept = join(this.directory, "pages%2Fstart.mjs");
  readonly #source = join(this.path, "main.ts");
  built = 0;

  constructor() {
    mkdirSync(join(this.path, "node_modules"));
    this.write("main.ts", "first");
  }

  /** As if it had been written a minute ago. */
  write(name: string, text: string, agoS = 60): void {
    const path = join(this.path, name);
    put(path, text);
    utimesSync(path, new Date(), Math.floor(Date.now() / 1_000) - agoS);
  }

  async text(): Promise<string> {
    const files = await keptBuild(this.path, "start", async () => {
      this.built += 1;
      const text = contentOf(this.#source);
      return { files: [{ name: "pages/start.mjs", text }], sources: [this.#source] };
    });
    return files.map(({ name, content }) => `${name}: ${Buffer.from(content()).toString()}`).join();
  }
}

const FIRST = "pages/start.mjs: first";
const SECOND = "pages/start.mjs: second";

describe("the build that is kept", () => {
  test("is used as long as nothing has changed", async () => {
    const checkout = new Checkout();
    assert.deepEqual([await checkout.text(), await checkout.text(), checkout.built], [FIRST, FIRST, 1]);
    assert.equal(contentOf(checkout.kept), "first");
  });

  for (const name of ["main.ts", "package-lock.json", "tsconfig.json"])
    test(`is built again once ${name} changes`, async () => {
      const checkout = new Checkout();
      await checkout.text();
      checkout.write(name, "second", 30);
      assert.equal(await checkout.text(), name === "main.ts" ? SECOND : FIRST);
      assert.equal(checkout.built, 2);
      await checkout.text();
      assert.equal(checkout.built, 2);
    });

  test("is built again if a source of the same size with a new time has different contents", async () => {
    const checkout = new Checkout();
    await checkout.text();
    checkout.write("main.ts", "FIRST", 30);
    assert.deepEqual([await checkout.text(), checkout.built], ["pages/start.mjs: FIRST", 2]);
  });

  test("is used again, and compared by its times, if a source has only a new time", async () => {
    const checkout = new Checkout();
    await checkout.text();
    checkout.write("main.ts", "first", 30);
    assert.equal(keptFiles(checkout.path, "start")?.hasTimes, false);
    assert.deepEqual([await checkout.text(), checkout.built], [FIRST, 1]);
    assert.equal(keptFiles(checkout.path, "start")?.hasTimes, true);
  });

  test("may be moved with its checkout, as a package does", async () => {
    const [made, placed] = [new Checkout(), new Checkout()];
    await made.text();
    cpSync(made.directory, placed.directory, { recursive: true });
    assert.deepEqual([await placed.text(), placed.built], [FIRST, 1], "it names its checkout");
    const record = join(placed.directory, "sources");
    cpSync(join(made.directory, "sources"), record);
    put(record, contentOf(record).replace(made.path, placed.path));
    assert.deepEqual([await placed.text(), placed.built], [FIRST, 1]);
  });

  test("is not kept while a source is being changed", async () => {
    for (const agoS of [-60, 0]) {
      const checkout = new Checkout();
      checkout.write("main.ts", "first", agoS);
      await checkout.text();
      assert.ok(!existsSync(checkout.kept), `${agoS}`);
    }
  });

  test("is built again if half of it is missing, or if other users may write it", async () => {
    const checkout = new Checkout();
    await checkout.text();
    put(checkout.kept, "fir");
    assert.deepEqual([await checkout.text(), checkout.built], [FIRST, 2]);
    put(join(checkout.directory, "sources"), `${checkout.path}\nkept 5 `);
    assert.deepEqual([await checkout.text(), checkout.built], [FIRST, 3]);
    for (const [built, name] of [checkout.kept, join(checkout.directory, "sources")].entries()) {
      chmodSync(name, 0o666);
      assert.deepEqual([await checkout.text(), checkout.built], [FIRST, 4 + built]);
      assert.equal(modeOf(name), 0o644);
    }
  });

  test("is not used if its path has a link, or a directory in which other users may write", async () => {
    const checkout = new Checkout();
    await checkout.text();
    for (const name of ["node_modules", "node_modules/.cache", "node_modules/.cache/start"]) {
      chmodSync(join(checkout.path, name), 0o777);
      assert.equal(keptFiles(checkout.path, "start"), null, name);
      chmodSync(join(checkout.path, name), 0o755);
      assert.notEqual(keptFiles(checkout.path, "start"), null, name);
    }
  });

  test("is not shared with a second checkout that shares the packages", async () => {
    const [one, other] = [new Checkout(), new Checkout()];
    rmdirSync(join(other.path, "node_modules"));
    symlinkSync(join(one.path, "node_modules"), join(other.path, "node_modules"));
    other.write("main.ts", "second");
    assert.deepEqual([await one.text(), await other.text(), await one.text()], [FIRST, SECOND, FIRST]);
    assert.equal(one.built, 1, "the second checkout keeps nothing there");
  });

  test("is skipped without an error if other users may write the directory", async () => {
    const checkout = new Checkout();
    chmodSync(join(checkout.path, "node_modules"), 0o777);
    mkdirSync(checkout.directory, { recursive: true });
    chmodSync(checkout.directory, 0o777);
    assert.deepEqual([await checkout.text(), existsSync(checkout.kept)], [FIRST, false]);
  });

  test("has files with one time for a package, so nothing needs to be built at their final place", async () => {
    const checkout = new Checkout();
    const at = new Date(1_767_225_600_000);
    symlinkSync(join(CHECKOUT, "node_modules", "@zxcvbn-ts"), join(checkout.path, "node_modules", "@zxcvbn-ts"));
    for (const [path, text] of Object.entries({
      "src/programs/set-up/serve.ts": 'import "esbuild";\nconsole.log("started");\n',
      "src/programs/command-line/command-line.ts": 'console.log("typed");\n',
    }))
      checkout.write(path, text);
    await keepAll({ root: checkout.path, place: checkout.path, at }, ["start", "command-line"]);
    for (const kind of ["start", "command-line"] as const) {
      assert.equal(keptFiles(checkout.path, kind)?.hasTimes, true);
      const file = join(checkout.path, "node_modules", ".cache", kind, `${kind}.mjs`);
      assert.equal(statSync(file).mtimeMs, at.getTime());
      assert.match(contentOf(file), kind === "start" ? /^import "esbuild";$[^]*started/m : /typed/);
    }
  });
});
