import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { COPY_ALL, Mirror, type MirrorRules } from "./mirror.ts";

const top = temporaryDirectory();
const [from, to] = [join(top, "from"), join(top, "to")];
const cur = join(from, "anna", "cur");
const LONG_AGO = new Date("2001-02-03T04:05:06.789Z");

const RULES: MirrorRules = { links: (path) => basename(path) === "cur", skips: (path) => path.endsWith(".index") };
const mirror = (): Mirror => new Mirror(from, to, RULES);
const inode = (path: string): number => statSync(path).ino;

beforeEachOf(import.meta.filename, () => {
  for (const path of [from, to]) rmSync(path, { recursive: true, force: true });
  mkdirSync(cur, { recursive: true });
  writeFileSync(join(cur, "1"), "a mail");
  writeFileSync(join(from, "anna", "uidlist"), "1");
  utimesSync(join(from, "anna", "uidlist"), LONG_AGO, LONG_AGO);
});

test("links mails, copies other files with mode and time, and finds nothing to do in the next pass", () => {
  chmodSync(join(from, "anna", "uidlist"), 0o640);
  chmodSync(join(from, "anna"), 0o710);
  const one = mirror();
  assert.ok(one.pass() > 0);
  assert.equal(inode(join(to, "anna", "cur", "1")), inode(join(cur, "1")));
  const copy = join(to, "anna", "uidlist");
  assert.notEqual(inode(copy), inode(join(from, "anna", "uidlist")));
  assert.deepEqual([statSync(copy).mode & 0o777, statSync(copy).mtimeMs], [0o640, LONG_AGO.getTime()]);
  assert.equal(statSync(join(to, "anna")).mode & 0o777, 0o710);
  assert.equal(one.pass(), 0);
  writeFileSync(copy, "2");
  assert.equal(readFileSync(join(from, "anna", "uidlist"), "utf8"), "1", "a copy is independent");
});

for (const { what, does, expected } of [
  { what: "a mail arrives", does: () => writeFileSync(join(cur, "2"), "another"), expected: ["1", "2"] },
  { what: "a flag is set", does: () => renameSync(join(cur, "1"), join(cur, "1:2,S")), expected: ["1:2,S"] },
  { what: "a mail is deleted", does: () => rmSync(join(cur, "1")), expected: [] },
  {
    what: "a mail is renamed to another's name",
    does: () => {
      writeFileSync(join(cur, "2"), "another");
      renameSync(join(cur, "2"), join(cur, "1"));
    },
    expected: ["1"],
  },
] as const)
  test(`the second pass finds what changed since the first: ${what}`, () => {
    const one = mirror();
    one.pass();
    does();
    assert.ok(one.pass() > 0);
    const names = readdirSync(join(to, "anna", "cur")).toSorted();
    assert.deepEqual(names, expected);
    for (const name of names) assert.equal(inode(join(to, "anna", "cur", name)), inode(join(cur, name)), name);
  });

test("a file whose time has a fraction of a millisecond is copied once", () => {
  const one = mirror();
  execFileSync("touch", ["-d", "2001-02-03 04:05:06.7897", join(from, "anna", "uidlist")]);
  one.pass();
  assert.equal(one.pass(), 0);
});

for (const name of ["anna/late", "anna/cur"])
  test(`a rename during a pass requires another pass: ${name}`, () => {
    const moved = join(from, "moved");
    mirror().pass();
    if (name === "anna/late") writeFileSync(join(from, name), "a mail in the queue");
    const overtaken = new Mirror(from, to, {
      ...RULES,
      skips: (path) => {
        if (path === join(from, name)) renameSync(path, moved);
        return false;
      },
    });
    assert.ok(overtaken.pass() > 0);
    assert.ok(!existsSync(join(to, "moved")), "it was moved to a part that was read before");
  });

test("a mail that moves to another folder is only in the new folder", () => {
  mkdirSync(join(from, "anna", ".Junk", "cur"), { recursive: true });
  const one = mirror();
  one.pass();
  renameSync(join(cur, "1"), join(from, "anna", ".Junk", "cur", "1"));
  one.pass();
  assert.ok(!existsSync(join(to, "anna", "cur", "1")));
  assert.ok(existsSync(join(to, "anna", ".Junk", "cur", "1")));
});

test("a file that is written to is copied again", () => {
  const one = mirror();
  one.pass();
  writeFileSync(join(from, "anna", "uidlist"), "1 and 2");
  assert.equal(one.pass(), 1);
  assert.equal(readFileSync(join(to, "anna", "uidlist"), "utf8"), "1 and 2");
});

test("a name that becomes a directory, a file or a link between two passes is replaced", () => {
  const [name, copy] = [join(from, "anna", "x"), join(to, "anna", "x")];
  const one = mirror();
  const passes = (make: () => void): void => {
    rmSync(name, { recursive: true, force: true });
    make();
    assert.ok(one.pass() > 0);
  };
  passes(() => writeFileSync(name, "a file"));
  for (const make of [() => writeFileSync(name, "a file"), () => symlinkSync("nowhere", name)]) {
    passes(() => mkdirSync(join(name, "cur"), { recursive: true }));
    assert.ok(statSync(join(copy, "cur")).isDirectory());
    passes(make);
    assert.ok(!lstatSync(copy).isDirectory());
  }
});

test("symbolic links are copied, not followed; pipes and excluded files are skipped", () => {
  const secret = join(top, "secret");
  writeFileSync(secret, "of someone else");
  symlinkSync(secret, join(cur, "link"));
  symlinkSync(top, join(from, "anna", "directory"));
  linkSync(secret, join(from, "anna", "x.index"));
  execFileSync("mkfifo", [join(cur, "pipe")]);
  const one = mirror();
  one.pass();
  assert.equal(readlinkSync(join(to, "anna", "cur", "link")), secret);
  assert.ok(lstatSync(join(to, "anna", "directory")).isSymbolicLink());
  assert.ok(!existsSync(join(to, "anna", "cur", "pipe")));
  assert.ok(!existsSync(join(to, "anna", "x.index")));
  assert.equal(one.pass(), 0);
  rmSync(join(from, "anna", "directory"));
  symlinkSync(from, join(from, "anna", "directory"));
  assert.ok(one.pass() > 0);
  assert.equal(readlinkSync(join(to, "anna", "directory")), from);
});

test("a missing source makes no changes", () => {
  rmSync(from, { recursive: true });
  assert.equal(mirror().pass(), 0);
  assert.ok(!existsSync(to));
});

test("a file full of holes is refused before it takes space; a short one is copied", () => {
  const long = join(from, "anna", "long");
  const truncate = (size: string): unknown => execFileSync("truncate", [`--size=${size}`, long]);
  truncate("8M");
  assert.ok(mirror().pass() > 0);
  assert.equal(statSync(join(to, "anna", "long")).size, 8 * 1024 * 1024);
  truncate("2G");
  const refuses = (why: RegExp): void => assert.throws(() => mirror().pass(), why);
  refuses(/anna\/long is far longer than the space that it takes on the disk: move it away/);
  assert.ok(statSync(join(to, "anna", "long")).size < 9 * 1024 * 1024);
  // The same for a file that would be linked.
  renameSync(long, join(cur, "long"));
  refuses(/cur\/long is far longer than the space that it takes/);
});

test("a mail keeps very many names in the mirror, where no file has more than a restore can make", () => {
  const mostNames = 320;
  const names = Array.from({ length: mostNames + 10 }, (_, i) => `copy-${i}`);
  for (const name of names) linkSync(join(cur, "1"), join(cur, name));
  const one = new Mirror(from, to, { ...RULES, mostNames });
  assert.ok(one.pass() > names.length);
  const copies = names.map((name) => join(to, "anna", "cur", name));
  assert.equal(new Set(copies.map(inode)).size, 2);
  assert.ok(copies.every((path) => statSync(path).nlink <= mostNames));
  assert.ok(copies.every((path) => readFileSync(path, "utf8") === "a mail"));
  writeFileSync(join(cur, "2"), "another");
  assert.equal(one.pass(), 1);
});

test("with `joins` a copied file keeps its names, so that many of them take no more space than the original", () => {
  const [first, second] = [join(from, "anna", "name-0"), join(to, "anna", "name-1")];
  writeFileSync(first, Buffer.alloc(8 << 20, "x"));
  for (let i = 1; i < 150; i += 1) linkSync(first, join(from, "anna", `name-${i}`));
  const one = new Mirror(from, to, { ...COPY_ALL, joins: true });
  one.pass();
  assert.equal(inode(second), inode(join(to, "anna", "name-0")));
  assert.notEqual(inode(second), inode(first));
  assert.equal(one.pass(), 0);
  writeFileSync(first, "changed");
  assert.equal(one.pass(), 150);
  assert.equal(readFileSync(second, "utf8"), "changed");
  assert.equal(inode(second), inode(join(to, "anna", "name-0")));
});
