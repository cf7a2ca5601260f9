import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";

/** Imports only point down this list; a room may import itself. */
const ROOMS = ["core", "settings", "admin", "guard", "host", "mail", "store", "jobs", "surfaces", "programs"];
/** These may use no clock, disk, process or network. */
const PURE = ["core", "admin"];
const PURE_MAY_IMPORT = ["node:net", "node:url", "ipaddr.js", "zod", "zod/mini"];

type Import = Readonly<{ file: string; from: string; specifier: string }>;

const imports = globSync("src/**/*.ts").flatMap(importsOf);

test("imports only point down the rooms", () => {
  assert.ok(imports.length > 20, `only ${imports.length} imports below src/`);
  assert.deepEqual(imports.filter(pointsUp).map(say), []);
});

test("the rule notices an import that points up, sideways, or out of src", () => {
  const bad = (file: string, specifier: string): boolean => pointsUp({ file, from: folderOf(file), specifier });
  assert.ok(bad("src/core/net/ip.ts", "../../admin/declare/items.ts"));
  assert.ok(bad("src/guard/engine.ts", "../host/machine/clock.ts"));
  assert.ok(bad("src/store/engine-db/store.ts", "../../surfaces/control-server.ts"));
  assert.ok(bad("src/guard/engine.ts", "../../test/lab/lab.ts"));
  assert.ok(bad("src/guard/engine.ts", "../unknown/x.ts"));
  assert.ok(!bad("src/store/engine-db/store.ts", "../../guard/ports.ts"));
  assert.ok(!bad("src/core/net/ip.ts", "../time.ts"));
  assert.ok(!bad("src/guard/engine.test.ts", "../../test/kit/engine-kit.ts"));
});

test("no files import each other in a circle", () => {
  assert.deepEqual(circleIn(imports), []);
});

test("the rule notices a circle, however long", () => {
  const of = (file: string, specifier: string): Import => ({ file, from: folderOf(file), specifier });
  const line = [of("src/core/a.ts", "./b.ts"), of("src/core/b.ts", "./c.ts")];
  assert.deepEqual(circleIn(line), []);
  assert.equal(circleIn([...line, of("src/core/c.ts", "./a.ts")]).length, 4);
});

test("the pure rooms use nothing outside", () => {
  const outside = imports.filter(
    ({ file, from, specifier }) =>
      PURE.includes(from) &&
      !file.endsWith(".test.ts") &&
      !specifier.startsWith(".") &&
      !PURE_MAY_IMPORT.includes(specifier),
  );
  assert.deepEqual(outside.map(say), []);
});

const IMPURE =
  /\b(?:fetch|set(?:Timeout|Interval|Immediate)|queueMicrotask|WebSocket|AbortSignal|(?:process|performance|crypto)\.\w+|Math\.random|Date\.now)\b|\bDate\(\)|\bnew Date\b(?!\()|= (?:Date|Math|process|performance|crypto);/;

test("the pure rooms read no clock and no random numbers, and wait for nothing", () => {
  const files = globSync(PURE.map((room) => `src/${room}/**/*.ts`)).filter((file) => !file.endsWith(".test.ts"));
  for (const file of files) assert.doesNotMatch(readFileSync(file, "utf8"), IMPURE, file);
  for (const code of "new Date|Date()|Date.now|{ now } = Date;|= setTimeout;|process.env|Math.random".split("|"))
    assert.match(code, IMPURE);
  assert.doesNotMatch("new Date(at) costs some performance. Date.parse(day) needs no process.", IMPURE);
});

function pointsUp({ file, from, specifier }: Import): boolean {
  if (!specifier.startsWith(".")) return false;
  const target = normalize(join(dirname(file), specifier));
  // A unit test may run its part with real parts of the rooms above and of test/kit.
  if (file.endsWith(".test.ts") && /^(src|test\/kit)\//.test(target)) return false;
  if (!target.startsWith("src/")) return true;
  const to = folderOf(target);
  return from !== to && !(rank(to) >= 0 && rank(to) < rank(from));
}

/** The files of one circle, the first one at both ends; none if there is none. */
function circleIn(all: readonly Import[]): readonly string[] {
  const graph = Map.groupBy(all, ({ file }) => file);
  const left = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (left.has(file)) return [];
    for (const { specifier } of graph.get(file) ?? []) {
      if (!specifier.startsWith(".")) continue;
      const circle = visit(normalize(join(dirname(file), specifier)), [...path, file]);
      if (circle.length > 0) return circle;
    }
    left.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(
    /^(?:import|export)\b[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  );
  return Array.from(found, (match) => ({
    file,
    from: folderOf(file),
    specifier: match[1] ?? match[2] ?? match[3] ?? "",
  }));
}

function folderOf(file: string): string {
  return file.split("/")[1] ?? "";
}

function rank(folder: string): number {
  return ROOMS.indexOf(folder);
}

function say({ file, specifier }: Import): string {
  return `${file} imports ${specifier}`;
}
