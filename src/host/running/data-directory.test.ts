import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { closedParent, holdsForeignFiles, prepareDataDirectory, removeDataDirectory } from "./data-directory.ts";

const directory = temporaryDirectory();
chmodSync(directory, 0o755);

for (const bad of ["relative/data", "/srv/my data", "/srv/$(id)", "/srv/../etc", "/", "/srv/a'b"])
  test(`${JSON.stringify(bad)} is refused before anything is created`, () =>
    assert.throws(() => prepareDataDirectory(bad), /^SetUpFailure: GHOSTINBOX_DATA must be an absolute path/));

test("a name too long for sockets is refused", () => {
  assert.throws(() => prepareDataDirectory(`/srv/${"x".repeat(70)}`), /at most 70 characters/);
});

test("accepts an empty or new directory, and one of ours", () => {
  const data = join(directory, "new");
  prepareDataDirectory(data);
  assert.ok(existsSync(data));
  mkdirSync(join(data, "lost+found"));
  prepareDataDirectory(data);
  writeFileSync(join(data, "ghostinbox.toml"), "");
  mkdirSync(join(data, "mail"));
  prepareDataDirectory(data);
  assert.ok(!holdsForeignFiles(data));
});

test("accepts a new directory with mounted disks for mail and logs", () => {
  const data = join(directory, "mounted");
  for (const path of ["mail", "log/mail"]) mkdirSync(join(data, path), { recursive: true });
  assert.ok(holdsForeignFiles(data));
  const mount = (path: string): string => `31 22 7:0 / ${join(data, path)} rw,relatime - ext4 /dev/sdb1 rw\n`;
  assert.ok(!holdsForeignFiles(data, mount("mail") + mount("log/mail")));
  writeFileSync(join(data, "thesis.txt"), "");
  assert.ok(holdsForeignFiles(data, mount("mail") + mount("log/mail")));
});

test("does not touch a foreign directory", () => {
  const data = join(directory, "theirs");
  mkdirSync(data);
  writeFileSync(join(data, "thesis.txt"), "");
  assert.throws(() => prepareDataDirectory(data), /holds files but no ghostinbox.toml/);
});

test("a directory that another user owns is refused, empty or not", { skip: lacking({ root: true }) }, () => {
  const data = join(directory, "given");
  mkdirSync(data);
  chownSync(data, 65_534, 65_534);
  assert.throws(() => prepareDataDirectory(data), /belongs to another user \(uid 65534\)/);
});

test("a parent that other users may not enter is named, and nothing is created in it", () => {
  const closed = join(directory, "closed");
  mkdirSync(closed, { mode: 0o700 });
  assert.equal(closedParent(join(closed, "data")), closed);
  assert.throws(() => prepareDataDirectory(join(closed, "deep", "data")), new RegExp(`may not enter ${closed}`));
  assert.deepEqual(readdirSync(closed), []);
});

test("an interrupted removal leaves a directory of ours, and can be repeated", () => {
  const data = join(directory, "leaving");
  prepareDataDirectory(data);
  writeFileSync(join(data, "ghostinbox.toml"), "");
  // Too deep to be removed: other names are removed before and after.
  const deep = Array.from({ length: 110 }, () => "d").join("/");
  for (const path of ["a/mail", `m/${deep}`, "z/mail"]) mkdirSync(join(data, path), { recursive: true });
  assert.throws(() => removeDataDirectory(data), /lies deeper than 100 directories/);
  assert.ok(!holdsForeignFiles(data));
  rmSync(join(data, "m"), { recursive: true });
  removeDataDirectory(data);
  assert.ok(!existsSync(data));
});
