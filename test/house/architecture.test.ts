import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { test } from "node:test";

const TEXT = readFileSync("ARCHITECTURE.md", "utf8");
const MOST_FILES = 30;
const SOURCES = globSync("{src,test,bench}/**/*.{ts,lua,py}");

test("the code map names every room, and no other", () => {
  const map = TEXT.slice(TEXT.indexOf("## Code map"), TEXT.indexOf("## Programs"));
  const named: string[] = [];
  let room = "";
  for (const line of map.split("\n")) {
    const [, top, inside] = /^ {4}(src\/[\w-]+\/) |^ {6}((?:[\w-]+\/ )+) /.exec(line) ?? [];
    if (top !== undefined) named.push((room = top));
    for (const folder of inside?.trim().split(" ") ?? []) named.push(room + folder);
  }
  const rooms = new Set(
    SOURCES.filter((file) => file.startsWith("src/")).flatMap((file) => [
      `${file.split("/").slice(0, 2).join("/")}/`,
      `${dirname(file)}/`,
    ]),
  );
  // Folders that only divide one room's work are not in the map.
  const open = /^src\/[\w-]+\/[\w-]+\/./;
  assert.deepEqual(named.toSorted(), [...rooms].filter((each) => !open.test(each)).toSorted());
});

test("every file that it names is there", () => {
  const named = [...TEXT.matchAll(/`([\w/.-]+\.ts)`/g)].map(([, path = ""]) => path);
  assert.ok(named.length > 15);
  const isThere = (path: string): boolean =>
    existsSync(path) || SOURCES.some((file) => file.endsWith(`/${path}`) || basename(file) === path);
  const missing = named.filter((path) => !isThere(path));
  assert.deepEqual(missing, []);
});

test("no folder has more files than a reader can take in", () => {
  const sources = globSync("{src,dashboard,bench,scripts}/**/*.{ts,tsx}").filter((file) => !/\.test\.tsx?$/.test(file));
  const folders = Object.entries(Object.groupBy(sources, (file) => dirname(file)));
  assert.ok(folders.length > 50);
  const full = folders.filter(([, files = []]) => files.length > MOST_FILES).map(([folder]) => folder);
  assert.deepEqual(full, []);
});
