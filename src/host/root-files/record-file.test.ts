import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import * as z from "zod/mini";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { readRecord, readStep, rememberedIn, writeRecord } from "./record-file.ts";

const schema = z.object({ since: z.number(), failure: z.nullable(z.string()) });
const NONE = { since: 0, failure: null };

test("a record is read back unchanged, and no other user can read it", () => {
  const path = join(temporaryDirectory(), "last.json");
  for (const record of [
    { since: 1, failure: "no room" },
    { since: 2, failure: null },
  ]) {
    writeRecord(path, record);
    assert.deepEqual(readRecord(path, schema, NONE), record);
  }
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, "utf8"), /^\{\n {2}"since": 2,\n/);
});

test("an unreadable record counts as missing", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "last.json");
  assert.equal(readRecord(path, schema, NONE), NONE);
  assert.equal(readRecord(directory, schema, NONE), NONE);
  for (const text of ["", '{"since":1,', '{"since":"1","failure":null}', "[]"]) {
    writeFileSync(path, text);
    assert.equal(readRecord(path, schema, NONE), NONE, text);
  }
});

test("an unreadable step of an exchange does not count as missing", () => {
  const path = join(temporaryDirectory(), "step.json");
  assert.equal(readStep(path, schema), null);
  writeRecord(path, NONE);
  assert.deepEqual(readStep(path, schema), NONE);
  const interrupted = /^SetUpFailure: A restore or rollback was interrupted, and .*step\.json/;
  for (const text of ["", "{", "{}"]) {
    writeFileSync(path, text);
    assert.throws(() => readStep(path, schema), interrupted);
  }
});

test("a remembered value that could not be written is written once that is possible, even if it is unchanged", (t) => {
  const logged = t.mock.method(console, "error", () => undefined);
  const layout = temporaryLayout("keeperSocket");
  const remembered = () => rememberedIn(layout, "last.json", schema, NONE);
  const path = join(dirname(layout.keeperSocket), "last.json");
  const { get, set } = remembered();
  for (const [since, retry] of [
    [1, () => get()],
    [2, () => set({ ...NONE, since: 2 })],
  ] as const) {
    mkdirSync(path);
    set({ ...NONE, since });
    assert.equal(get().since, since);
    rmdirSync(path);
    retry();
    assert.equal(remembered().get().since, since);
    rmSync(path);
  }
  assert.equal(logged.mock.callCount(), 2, "each failure once");
});

test("a failed write throws and leaves no temporary file", () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "last.json"));
  assert.throws(() => writeRecord(join(directory, "last.json"), NONE), /EISDIR/);
  assert.deepEqual(readdirSync(directory), ["last.json"]);
});
