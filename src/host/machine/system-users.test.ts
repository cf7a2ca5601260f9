import assert from "node:assert/strict";
import { chmodSync, chownSync, linkSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { asOwnerOf } from "./system-users.ts";

const top = temporaryDirectory();
chmodSync(top, 0o755);
const OTHER = 65_534;

/** A directory of another user. */
function directoryOf(name: string): string {
  const path = join(top, name);
  mkdirSync(path);
  chownSync(path, OTHER, OTHER);
  return path;
}

test("new files belong to the owner, and root is root again afterwards, even after an error", ROOT, () => {
  const path = directoryOf("other");
  const groups = process.getgroups?.();
  asOwnerOf(path, () => writeFileSync(join(path, "file"), ""));
  const { uid, gid } = statSync(join(path, "file"));
  assert.deepEqual([uid, gid], [OTHER, OTHER]);
  assert.throws(() => asOwnerOf(path, () => writeFileSync(join(top, "file"), "")), { code: "EACCES" });
  assert.deepEqual([process.geteuid?.(), process.getegid?.()], [0, 0]);
  const rootsOnly = join(top, "for-roots-group");
  writeFileSync(rootsOnly, "", { mode: 0o640 });
  process.setgroups?.([0]);
  assert.throws(() => asOwnerOf(path, () => readFileSync(rootsOnly)), { code: "EACCES" });
  process.setgroups?.(groups ?? []);
  asOwnerOf(path, () => undefined);
  assert.deepEqual(process.getgroups?.(), groups);
});

test("reading a database writes into no file that its owner linked beside it", ROOT, () => {
  const path = directoryOf("database");
  const file = join(path, "some.db");
  asOwnerOf(path, () => {
    using db = new DatabaseSync(file);
    db.exec("PRAGMA journal_mode = WAL; CREATE TABLE one (a); INSERT INTO one VALUES (1)");
  });
  const victim = join(top, "victim");
  writeFileSync(victim, "root's alone", { mode: 0o600 });
  linkSync(victim, `${file}-shm`);
  const read = (): unknown => new DatabaseSync(file, { readOnly: true }).prepare("SELECT a FROM one").get();
  assert.throws(() => asOwnerOf(path, read), /unable to open|readonly|permission/i);
  assert.equal(readFileSync(victim, "utf8"), "root's alone");
  read();
  assert.notEqual(readFileSync(victim, "utf8"), "root's alone", "as root it would have written there");
});
