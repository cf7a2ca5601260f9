import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS } from "../../core/time.ts";
import { hasNoLock, latestOf, writtenBy } from "./restic.ts";
import { failure } from "./restic-failure.ts";

test("only a directory is known to have no lock", () => {
  const place = temporaryDirectory();
  assert.equal(hasNoLock(place), false, "no repository");
  mkdirSync(join(place, "locks"));
  assert.equal(hasNoLock(place), true);
  writeFileSync(join(place, "locks", "0a1b"), "");
  assert.equal(hasNoLock(place), false);
  assert.equal(hasNoLock("sftp:backup@192.0.2.1:/mail"), false);
});

test("a process has written something, and one that has ended tells nothing", () => {
  assert.ok((writtenBy(process.pid) ?? -1) >= 0);
  assert.equal(writtenBy(undefined), null);
});

test("distinguishes a killed restic, a missing one and an unknown failure", () => {
  const { reason } = failure({ code: 137, out: [], err: "" });
  assert.equal(reason, "restic was killed; the memory may have run out");
  assert.equal(failure({ code: 3, out: [], err: "" }).reason, "restic ended with 3");
  assert.equal(failure({ code: 1, out: [], err: "Fatal: something new\n" }).reason, "Fatal: something new");
  assert.match(failure({ code: 127, out: [], err: "spawn setpriv ENOENT" }).reason, /npm run setup/);
});

test("the latest backup is not one of a night when the clock was ahead, unless all are", () => {
  const NOW = Date.UTC(2026, 10, 25);
  const [older, latest, ahead] = [NOW - 2 * DAY_MS, NOW - DAY_MS, NOW + 365 * DAY_MS].map((at) => ({
    id: String(at),
    at,
    host: "mail.example.test",
    tags: [],
  }));
  assert.ok(older !== undefined && latest !== undefined && ahead !== undefined);
  assert.equal(latestOf([older, latest, ahead], NOW), latest);
  assert.equal(
    latestOf([older, latest], NOW - DAY_MS - 60_000),
    latest,
    "another machine's clock may be a little behind",
  );
  assert.equal(latestOf([ahead], NOW), ahead);
  assert.equal(latestOf([], NOW), undefined);
});
