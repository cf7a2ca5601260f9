import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { startTimeOf } from "../../host/running/read-processes.ts";
import { layoutOf } from "../../settings/layout.ts";
import { memoryDirectory, prepareKey, readKey, removeLeftOver, removeLeftOverKeys, scratchOf } from "./repository.ts";

test("files of a killed restore or drill are removed; those of a running one stay", () => {
  const layout = layoutOf(join(temporaryDirectory(), "data"));
  const own = basename(scratchOf(layout));
  // This process's number with a different start time; and a different number.
  for (const name of [own, `restoring-${process.pid}-1`, "restoring-4194999-5", "restoring-mail"])
    mkdirSync(join(layout.data, name), { recursive: true });
  mkdirSync(join(layout.backupDrill, "mail"), { recursive: true });
  removeLeftOver(layout);
  assert.deepEqual(readdirSync(layout.data).toSorted(), ["backup", own, "restoring-mail"].toSorted());
  assert.deepEqual(readdirSync(layout.backup), []);
});

test("the files of a drill that a different process runs stay", () => {
  const layout = layoutOf(join(temporaryDirectory(), "data"));
  mkdirSync(layout.backupDrill, { recursive: true });
  writeFileSync(layout.backupLock, `${process.ppid} ${startTimeOf(process.ppid)} 0\n`);
  removeLeftOver(layout);
  assert.ok(existsSync(layout.backupDrill));
  rmSync(layout.backupLock);
  removeLeftOver(layout);
  assert.ok(!existsSync(layout.backupDrill));
});

test("an empty key counts as none, and is replaced; any other stays", () => {
  const layout = layoutOf(join(temporaryDirectory(), "data"));
  put(layout.backupKey);
  assert.equal(readKey(layout), null);
  assert.deepEqual([prepareKey(layout), prepareKey(layout)], [true, false]);
  assert.equal(readFileSync(layout.backupKey, "utf8"), `${readKey(layout)}\n`);
  assert.match(readKey(layout) ?? "", /^\S{20,}$/);
});

test("keys that a killed restore left in memory are removed", ROOT, () => {
  // No process can have these numbers (proc(5), pid_max); the last is of this process, with a different start time.
  const left = ["4194999-5", `${process.pid}-1`].map((of) => `/run/ghostinbox-keys.${of}`);
  left.push("/run/ghostinbox-gpg.4194999-5");
  for (const directory of [...left, memoryDirectory("keys")]) mkdirSync(directory);
  try {
    removeLeftOverKeys();
    for (const directory of left) assert.ok(!existsSync(directory), directory);
    assert.ok(existsSync(memoryDirectory("keys")));
  } finally {
    for (const directory of [...left, memoryDirectory("keys")]) rmSync(directory, { recursive: true, force: true });
  }
});
