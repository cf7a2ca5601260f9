import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import { deliveryFile, lookAtExport, readDelivery } from "./delivery-record.ts";

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
  now += DAY_MS;
  open().note({ id: 21, at: null }, { trouble: null, lost: 0 });
  assert.equal(readDelivery(file)?.lost, null);
});

test("a damaged file is not taken for a first run", () => {
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

test("events that reach no receiver for five minutes are reported, until one arrives", () => {
  const directory = temporaryDirectory();
  const clock = new HandClock();
  const notices = new NoticeBoard();
  const file = { foreign: join(directory, "delivered") };
  const record = deliveryFile(file, assert.fail, () => clock.now());
  const look = (): string | undefined => {
    lookAtExport({ exportRecord: file, services: directory }, notices, clock);
    return notices.raised.get("export_failing");
  };
  assert.equal(look(), undefined, "there is no exporter");
  record.note({ id: 1, at: null }, { trouble: "ECONNREFUSED", lost: 0 });
  clock.advance(5 * MINUTE_MS);
  assert.equal(look(), undefined, "for an exporter that was switched off");
  mkdirSync(join(directory, "export"));
  record.note({ id: 1, at: null }, { trouble: "timed out", lost: 0 });
  assert.equal(look(), "timed out");
  record.note({ id: 2, at: null }, { trouble: null, lost: 0 });
  assert.equal(look(), undefined);
  record.note({ id: 2, at: null }, { trouble: "ECONNREFUSED", lost: 0 });
  clock.advance(5 * MINUTE_MS - 1);
  assert.equal(look(), undefined, "a restart of the receiver is not reported");
  record.note({ id: 9, at: null }, { trouble: "ECONNREFUSED", lost: 6 });
  assert.equal(look(), "6 events lost before they could be delivered");
  clock.advance(1);
  assert.match(look() ?? "", /^ECONNREFUSED; 6 events lost/);
  clock.advance(-DAY_MS - 5 * MINUTE_MS);
  assert.equal(look(), "ECONNREFUSED", "even if the clock was set back");
  clock.advance(DAY_MS + 5 * MINUTE_MS);
  record.note({ id: 9, at: null }, { trouble: null, lost: 0 });
  assert.match(look() ?? "", /^6 events lost/);
  clock.advance(DAY_MS);
  assert.equal(look(), undefined, "after a day");
});
