import assert from "node:assert/strict";
import { chmodSync, closeSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { Directory } from "./directory.ts";

const top = temporaryDirectory();
const elsewhere = join(top, "elsewhere");
mkdirSync(join(elsewhere, "deep"), { recursive: true });

function make(name: string, mode = 0o755): string {
  const path = join(top, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

test("an open directory stays the same, even if something else takes its name", () => {
  const path = make("renamed");
  using directory = Directory.own(path);
  renameSync(path, join(top, "aside"));
  symlinkSync(elsewhere, path);
  closeSync(directory.create("file", 0o600) ?? -1);
  assert.deepEqual(readdirSync(join(top, "aside")), ["file"]);
  assert.deepEqual(readdirSync(elsewhere), ["deep"]);
});

test("follows our own links, absolute or relative, in any part of the path", () => {
  const path = make("linked");
  symlinkSync(elsewhere, join(path, "absolute"));
  symlinkSync("../elsewhere/./deep/..", join(path, "relative"));
  for (const link of ["absolute", "relative"]) {
    using directory = Directory.open(join(path, link, "deep"));
    using same = Directory.open(join(elsewhere, "deep"));
    assert.equal(directory.stat.ino, same.stat.ino, link);
  }
});

test("follows no link where others may write, in any part of the path", () => {
  const path = make("shared", 0o775);
  symlinkSync(elsewhere, join(path, "link"));
  for (const asked of ["link", "link/deep"])
    assert.throws(() => Directory.open(join(path, asked)), /^UnsafePath: .*shared\/link is a symbolic link/);
});

test("circular links and files are not directories", () => {
  const path = make("circle");
  symlinkSync("b", join(path, "a"));
  symlinkSync("a", join(path, "b"));
  writeFileSync(join(path, "file"), "");
  assert.throws(() => Directory.open(join(path, "a")), /too many symbolic links/);
  assert.throws(() => Directory.open(join(path, "file")), /file is not a directory/);
  assert.throws(() => Directory.open(join(path, "none")), { code: "ENOENT" });
});

for (const mode of [0o775, 0o757, 0o1777])
  test(`a directory of mode ${mode.toString(8)} is refused`, () => {
    const path = make(`mode-${mode}`, mode);
    assert.throws(() => Directory.own(path), new RegExp(`Others may write in ${path}`));
    chmodSync(path, 0o755);
    Directory.own(path)[Symbol.dispose]();
  });

test("entering, holding and creating a name never follows a link", () => {
  const path = make("names");
  symlinkSync(elsewhere, join(path, "link"));
  symlinkSync(join(top, "not-there"), join(path, "dangling"));
  using directory = Directory.own(path);
  assert.throws(() => directory.enter("link"), { code: "ENOTDIR" });
  using held = directory.hold("link");
  assert.equal(held?.stat.isSymbolicLink(), true);
  assert.equal(directory.hold("none"), null);
  for (const name of ["link", "dangling"]) {
    assert.equal(directory.create(name, 0o600), null);
    assert.equal(directory.makeDirectory(name, 0o755), false);
  }
  assert.deepEqual([...directory.names()].toSorted(), ["dangling", "link"]);
  directory.remove("link");
  directory.remove("link");
  assert.deepEqual(readdirSync(elsewhere), ["deep"]);
  assert.ok(!readdirSync(top).includes("not-there"));
});
