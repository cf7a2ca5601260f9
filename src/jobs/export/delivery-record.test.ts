import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { deliveryFile, LOST_MS, readDelivery } from "./delivery-record.ts";

test("the position, and when trouble started, survive a restart", () => {
  const directory = temporaryDirectory();
  const file = { foreign: join(directory, "delivered") };
  let now = 1_000;
  const open = () => deliveryFile(file, assert.fail, () => now);
  const first = open();
  assert.equal(first.last(), null);
  const last = { id: 41, at: "2026-11-20T08:00:00.000Z" };
  first.note(last, { trouble: null, lost: 0 });
  first.note(last, { trouble: "refused", lost: 0 });
  now = 2_000;
  const second = open();
  assert.deepEqual(second.last(), last);
  second.note(last, { trouble: "x".repeat(1_000), lost: 0 });
  const { id: position, at } = last;
  assert.deepEqual(readDelivery(file), { position, at, trouble: "x".repeat(300), since: 1_000, lost: null });
  second.note({ ...last, id: 42 }, { trouble: null, lost: 0 });
  assert.deepEqual(readDelivery(file), { position: 42, at, trouble: null, since: null, lost: null });
  assert.deepEqual(readdirSync(directory), ["delivered"]);
});

test("events that were lost within a day are added up", () => {
  const file = { foreign: join(temporaryDirectory(), "delivered") };
  let now = 1_000;
  const open = () => deliveryFile(file, assert.fail, () => now);
  open().note({ id: 9, at: null }, { trouble: null, lost: 3 });
  now = 2_000;
  open().note({ id: 19, at: null }, { trouble: null, lost: 4 });
  open().note({ id: 20, at: null }, { trouble: null, lost: 0 });
  assert.deepEqual(readDelivery(file)?.lost, { count: 7, at: 2_000 });
  now += LOST_MS;
  open().note({ id: 21, at: null }, { trouble: null, lost: 0 });
  assert.equal(readDelivery(file)?.lost, null);
});

test("a file that was damaged is not taken for a first run", () => {
  const file = { foreign: join(temporaryDirectory(), "delivered") };
  for (const text of ["", "{", "[]", '{"position":-1,"trouble":null,"since":null}', '{"position":1}']) {
    writeFileSync(file.foreign, text);
    assert.equal(readDelivery(file), null, text);
    const opened = deliveryFile(file, assert.fail);
    assert.deepEqual([opened.isUnreadable(), opened.last()], [true, { id: 0, at: null }]);
  }
});

test("while it cannot be written, nothing is thrown, and the reason is reported once", () => {
  const file = { foreign: join(temporaryDirectory(), "delivered") };
  const reports: string[] = [];
  const record = deliveryFile(file, (why) => reports.push(why));
  const note = () => record.note({ id: 9, at: null }, { trouble: null, lost: 1 });
  mkdirSync(`${file.foreign}.new`);
  assert.deepEqual([note(), note()], [false, false]);
  assert.match(reports.join("; "), /^EISDIR[^;]*$/);
  rmdirSync(`${file.foreign}.new`);
  assert.equal(note(), true);
  assert.equal(readDelivery(file)?.lost?.count, 3);
});
