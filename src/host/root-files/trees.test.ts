import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { modeOf, put } from "../../../test/kit/files.ts";
import { ROOT } from "../../../test/kit/needs.ts";
import { OURSELVES as owner, temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { UnsafePath } from "./directory.ts";
import { giveDirectory, makeDirectory, makeOwnDirectory } from "./trees.ts";
import { removeEmptyDirectory, removeTree } from "./walk.ts";

const top = temporaryDirectory();

function file(...parts: readonly string[]): string {
  const path = join(top, ...parts);
  put(path);
  return path;
}

test("creates missing directories, and leaves existing ones unchanged", () => {
  const there = join(top, "there");
  mkdirSync(there, { mode: 0o700 });
  makeDirectory(join(there, "a", "b"), 0o755);
  makeDirectory(join(there, "a", "b"), 0o700);
  const modes = [there, join(there, "a"), join(there, "a", "b")].map(modeOf);
  assert.deepEqual(modes, [0o700, 0o755, 0o755]);
});

test("a directory gets its mode, whatever the umask, and set-gid with it", () => {
  const path = join(top, "given");
  assert.deepEqual(giveDirectory(path, { mode: 0o2770, owner }), { count: 0, first: null });
  assert.equal(modeOf(path), 0o2770);
});

test("a directory to be filled by path is made only where no other user can replace it", ROOT, () => {
  const open = join(top, "open");
  mkdirSync(join(open, "own"), { recursive: true });
  chmodSync(open, 0o777);
  assert.throws(() => makeOwnDirectory(join(open, "new"), 0o700), UnsafePath);
  assert.throws(() => makeOwnDirectory(join(open, "own", "new"), 0o700), UnsafePath, "all above could be moved");
  chmodSync(open, 0o1777);
  symlinkSync(open, join(top, "linked"));
  const made = join(open, "own", "new");
  assert.equal(makeOwnDirectory(join(top, "linked", "own", "new"), 0o700), made);
  assert.equal(modeOf(made), 0o700);
  assert.equal(makeOwnDirectory(made, 0o700), null);
  symlinkSync("/nowhere", join(open, "link"));
  assert.equal(makeOwnDirectory(join(open, "link"), 0o700), null, "a link is followed by a program that works by path");
  chownSync(open, 65_534, 65_534);
  assert.throws(() => makeOwnDirectory(join(open, "newer"), 0o700), /so root does not write there/);
});

test("removes a tree with its links, but not their targets", () => {
  const outside = file("kept", "file");
  const tree = join(top, "tree");
  file("tree", "a", "b", "c");
  symlinkSync(dirname(outside), join(tree, "a", "link"));
  symlinkSync("nothing", join(tree, "dangling"));
  linkSync(outside, join(tree, "hard"));
  for (let n = 0; n < 300; n++) file("tree", "many", String(n));
  removeTree(tree);
  removeTree(tree);
  assert.ok(!existsSync(tree));
  assert.deepEqual(readdirSync(dirname(outside)), ["file"]);
  symlinkSync(dirname(outside), tree);
  removeTree(tree);
  assert.deepEqual(readdirSync(dirname(outside)), ["file"]);
  removeTree(join(top, "no", "such", "tree"));
});

test("a tree that is too deep is not removed, and the error names the next step", () => {
  const deep = join(top, "deep", ...Array.from({ length: 110 }, () => "d"));
  mkdirSync(deep, { recursive: true });
  assert.throws(() => removeTree(join(top, "deep")), /lies deeper than 100 directories: delete it by hand/);
});

test("removes a directory only if it is empty", () => {
  const inside = file("empty at last", "inside");
  removeEmptyDirectory(dirname(inside));
  removeEmptyDirectory(inside);
  assert.ok(existsSync(inside));
  rmSync(inside);
  removeEmptyDirectory(dirname(inside));
  removeEmptyDirectory(dirname(inside));
  removeEmptyDirectory(join(top, "no", "such", "directory"));
  assert.ok(!existsSync(dirname(inside)));
});

test("the size of many files is found with little memory, and no link is followed", async (t) => {
  for (let directory = 0; directory < 100; directory++)
    for (let i = 0; i < 200; i++) put(join(top, "many", `${directory}`, `${i}`.padEnd(250, "x")), "12");
  symlinkSync(join(top, "many", "1"), join(top, "many", "2", "link"));
  const program = `import(${JSON.stringify(import.meta.resolve("./walk.ts"))}).then(({ bytesBelow }) =>
    require("node:worker_threads").parentPort.postMessage(bytesBelow(${JSON.stringify(join(top, "many"))})))`;
  const resourceLimits = { maxOldGenerationSizeMb: 20, maxYoungGenerationSizeMb: 2 };
  const worker = new Worker(program, { eval: true, resourceLimits });
  t.after(() => worker.terminate());
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.on("message", resolve).on("error", reject);
  assert.equal(await promise, 40_000);
});
