import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { keptBuild, keptFor } from "./kept-build.ts";

/** A checkout of one source; `built`: how often it was built. */
class Checkout {
  readonly path = temporaryDirectory();
  readonly kept = join(this.path, "node_modules", ".cache", "programs", "build.json");
  readonly #source = join(this.path, "main.ts");
  built = 0;

  constructor() {
    mkdirSync(join(this.path, "node_modules"));
    this.write("main.ts", "first");
  }

  /** As if it had been written a minute ago. */
  write(name: string, text: string): void {
    const path = join(this.path, name);
    writeFileSync(path, text);
    utimesSync(path, new Date(), Date.now() / 1000 - 60);
  }

  async text(): Promise<string> {
    const files = await keptBuild(this.path, async () => {
      this.built += 1;
      return { files: [{ name: "main.js", text: readFileSync(this.#source, "utf8") }], sources: [this.#source] };
    });
    return files.map(({ text }) => text).join();
  }
}

describe("the build that is kept", () => {
  test("is used as long as nothing has changed", async () => {
    const checkout = new Checkout();
    assert.deepEqual([await checkout.text(), await checkout.text(), checkout.built], ["first", "first", 1]);
  });

  for (const name of ["main.ts", "package-lock.json", "tsconfig.json"])
    test(`is made again once ${name} changes`, async () => {
      const checkout = new Checkout();
      await checkout.text();
      checkout.write(name, "second");
      assert.equal(await checkout.text(), name === "main.ts" ? "second" : "first");
      assert.equal(checkout.built, 2);
      await checkout.text();
      assert.equal(checkout.built, 2);
    });

  test("may come from another place, as a package brings it", async () => {
    const [made, placed] = [new Checkout(), new Checkout()];
    const source = join(made.path, "main.ts");
    const built = { files: [{ name: "main.js", text: "brought" }], sources: [source] };
    const { name, text } = keptFor(placed.path, made.path, built);
    mkdirSync(join(placed.path, "node_modules", ".cache", "programs"), { recursive: true });
    writeFileSync(join(placed.path, name), text, { mode: 0o644 });
    assert.deepEqual([await placed.text(), placed.built], ["brought", 0]);
    placed.write("main.ts", "changed by hand");
    assert.deepEqual([await placed.text(), placed.built], ["changed by hand", 1]);
  });

  test("is not kept while a source is being changed", async () => {
    const checkout = new Checkout();
    utimesSync(join(checkout.path, "main.ts"), new Date(), Date.now() / 1000 + 60);
    await checkout.text();
    assert.ok(!existsSync(checkout.kept));
  });

  test("is made again where half of it is left, or where others may write it", async () => {
    const checkout = new Checkout();
    await checkout.text();
    writeFileSync(checkout.kept, readFileSync(checkout.kept, "utf8").slice(0, -9));
    assert.deepEqual([await checkout.text(), checkout.built], ["first", 2]);
    chmodSync(checkout.kept, 0o666);
    assert.deepEqual([await checkout.text(), checkout.built], ["first", 3]);
    assert.equal(statSync(checkout.kept).mode & 0o777, 0o644);
  });

  test("is not that of another checkout that shares the packages", async () => {
    const [one, other] = [new Checkout(), new Checkout()];
    rmdirSync(join(other.path, "node_modules"));
    symlinkSync(join(one.path, "node_modules"), join(other.path, "node_modules"));
    other.write("main.ts", "other");
    assert.deepEqual([await one.text(), await other.text(), await one.text()], ["first", "other", "first"]);
  });

  test("is left out where others may write the directory, and nothing fails", async () => {
    const checkout = new Checkout();
    chmodSync(join(checkout.path, "node_modules"), 0o777);
    mkdirSync(join(checkout.path, "node_modules", ".cache", "programs"), { recursive: true });
    chmodSync(join(checkout.path, "node_modules", ".cache", "programs"), 0o777);
    assert.deepEqual([await checkout.text(), existsSync(checkout.kept)], ["first", false]);
  });
});
