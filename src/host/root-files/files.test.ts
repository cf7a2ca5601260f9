import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { listenOnSocket } from "../../../test/kit/local-server.ts";
import { OURSELVES as owner, temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import {
  appendFile,
  createFile,
  giveSocket,
  layLink,
  moveFile,
  openLog,
  openPlain,
  readForeign,
  readNamed,
  readPlain,
  removeFile,
  replaceLink,
  setAccess,
  setModified,
  truncateFile,
  writeFile,
} from "./files.ts";

const top = temporaryDirectory();
const victim = join(top, "victim");
const place = join(top, "place");
const file = join(place, "file");
const SECRET = "of someone else";
const LONG_AGO = new Date("2001-02-03T04:05:06Z");

beforeEachOf(import.meta.filename, () => {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
  rmSync(victim, { force: true });
  writeFileSync(victim, SECRET, { mode: 0o600 });
});

function expectUntouched(): void {
  assert.equal(readFileSync(victim, "utf8"), SECRET);
  assert.equal(statSync(victim).mode & 0o777, 0o600);
  assert.ok(statSync(victim).mtime > LONG_AGO);
}

/** Files that an attacker could have put at a name. */
const TRAPS: Readonly<Record<string, (path: string) => void>> = {
  "a link": (path) => symlinkSync(victim, path),
  "a link to nothing": (path) => symlinkSync(join(top, "nothing"), path),
  "a hard link": (path) => linkSync(victim, path),
  "a pipe": (path) => void execFileSync("mkfifo", [path]),
};

for (const [trap, lay] of Object.entries(TRAPS)) {
  test(`a written file replaces ${trap}, even at its temporary name`, () => {
    for (const name of [file, `${file}.new`]) lay(name);
    writeFile(file, "ours", { mode: 0o640, owner });
    assert.ok(lstatSync(file).isFile());
    assert.equal(readFileSync(file, "utf8"), "ours");
    assert.equal(lstatSync(file).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(place), ["file"]);
    expectUntouched();
    assert.ok(!existsSync(join(top, "nothing")));
  });

  test(`${trap} is neither overwritten, changed, read nor appended to`, () => {
    lay(file);
    assert.equal(createFile(file, { mode: 0o644 }), false);
    const refused = /^UnsafePath: .*place\/file is not a regular file/;
    assert.throws(() => setAccess(file, { mode: 0o644, owner }), refused);
    assert.throws(() => setModified(file, LONG_AGO), refused);
    assert.throws(() => readPlain(file, 100), refused);
    // The system itself refuses a link (ELOOP) and a pipe without a reader (ENXIO).
    for (const write of [() => appendFile(file, "ours"), () => truncateFile(file, 0)])
      assert.throws(write, /UnsafePath|ELOOP|ENXIO/);
    expectUntouched();
    assert.ok(!existsSync(join(top, "nothing")));
  });

  test(`${trap} is removed, moved and linked without following it`, () => {
    lay(file);
    moveFile(file, join(place, "moved"));
    layLink("/etc/passwd", file);
    layLink("/etc/shadow", file);
    assert.equal(readlinkSync(file), "/etc/passwd", "an existing name stays");
    replaceLink("/etc/shadow", file);
    assert.equal(readlinkSync(file), "/etc/shadow");
    removeFile(file);
    removeFile(join(place, "moved"));
    removeFile(join(place, "moved"));
    assert.deepEqual(readdirSync(place), []);
    expectUntouched();
  });
}

test("nothing is written, made or removed in a directory where others may write", () => {
  writeFileSync(file, "");
  chmodSync(place, 0o777);
  for (const act of [
    () => writeFile(file, "", { mode: 0o644 }),
    () => appendFile(file, ""),
    () => truncateFile(file, 0),
    () => setAccess(file, { mode: 0o644 }),
    () => setModified(file, LONG_AGO),
    () => removeFile(file),
    () => moveFile(file, join(top, "moved")),
    () => layLink("x", `${file}2`),
    () => replaceLink("x", file),
  ])
    assert.throws(act, /UnsafePath: Others may write in/);
  assert.deepEqual(readdirSync(place), ["file"]);
});

test("appends to, truncates and reads a file, up to the maximum size", () => {
  appendFile(file, "one\n");
  appendFile(file, "two\n");
  assert.equal(readFileSync(file, "utf8"), "one\ntwo\n");
  truncateFile(file, 4);
  setAccess(file, { mode: 0o640 });
  assert.deepEqual(readPlain(file, 4), { text: "one\n", owner, mode: 0o640 });
  assert.throws(() => readPlain(file, 3), /larger than such a file can be/);
  assert.equal(readPlain(join(place, "none"), 3), null);
});

test("sets the modification time of a file or directory, which a move keeps", () => {
  appendFile(file, "");
  setModified(file, LONG_AGO);
  moveFile(file, `${file}2`);
  setModified(place, LONG_AGO);
  assert.deepEqual([statSync(`${file}2`).mtime, statSync(place).mtime], [LONG_AGO, LONG_AGO]);
});

test("a system error names the requested path", () => {
  const path = join(place, "none", "file");
  assert.throws(() => writeFile(path, "", { mode: 0o600 }), { path, message: new RegExp(`^ENOENT: .*'${path}'$`) });
});

test("gives away sockets, and nothing else", async () => {
  await listenOnSocket(createServer(), join(place, "socket"));
  giveSocket(join(place, "socket"), owner);
  symlinkSync(join(place, "socket"), file);
  assert.throws(() => giveSocket(file, owner), /is not a socket/);
});

test("another user's pipe, link, directory or endless file is refused without waiting", () => {
  const foreign = { foreign: file };
  assert.equal(readForeign(foreign, 100), null);
  for (const lay of [
    () => execFileSync("mkfifo", [file]),
    () => symlinkSync(victim, file),
    () => mkdirSync(file),
    () => execFileSync("truncate", ["--size=1G", file]),
  ]) {
    lay();
    assert.equal(readForeign(foreign, 100), null);
    if (!statSync(file).isFile() || lstatSync(file).isSymbolicLink()) assert.throws(() => openPlain(file));
    rmSync(file, { recursive: true });
  }
  writeFileSync(file, "four");
  assert.equal(readForeign(foreign, 4), "four");
  closeSync(openPlain(file));
});

test("reads a file of the settings through links, and refuses a long file, or anything else without opening it", async () => {
  writeFileSync(file, "four");
  symlinkSync(file, join(place, "link"));
  assert.equal(readNamed(join(place, "link"), 4).toString(), "four");
  assert.throws(() => readNamed(file, 3), /is larger than such a file can be/);
  execFileSync("mkfifo", [join(place, "pipe")]);
  await listenOnSocket(createServer(), join(place, "socket"));
  // open(2) refuses a socket itself.
  for (const name of ["pipe", ".", "socket"])
    assert.throws(() => readNamed(join(place, name), 4), /is not a regular file/, name);
  assert.throws(() => readNamed(join(place, "none"), 4), { code: "ENOENT", path: join(place, "none") });
});

test("a log may be a link to a regular file if only root can have made the link", () => {
  symlinkSync(victim, file);
  const linkTo = (target: string): string => {
    const link = join(place, "link");
    rmSync(link, { force: true });
    symlinkSync(target, link);
    return link;
  };
  closeSync(openLog(file));
  closeSync(openLog(linkTo("../place/file")));
  lchownSync(file, 65_534, 65_534);
  const refused = /place\/file is a link that users other than root can put there: name the file itself/;
  for (const path of [file, linkTo("file"), linkTo(file)]) assert.throws(() => openLog(path), refused);
  rmSync(file);
  symlinkSync(victim, file);
  chmodSync(place, 0o777);
  assert.throws(() => openLog(file), /users other than root can put there/, "in a directory where others write");
  chmodSync(place, 0o755);
  chownSync(place, 65_534, 65_534);
  assert.throws(() => openLog(file), /users other than root can put there/, "in another user's directory");
  chownSync(place, 0, 0);
  rmSync(file);
  execFileSync("mkfifo", [join(place, "pipe")]);
  assert.throws(() => openLog(linkTo(join(place, "pipe"))), /place\/pipe is not a regular file/);
});
