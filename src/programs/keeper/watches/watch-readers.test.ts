import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../../settings/layout.ts";
import { openEngine } from "../../../store/open.ts";
import { ReaderWatch } from "./watch-locks.ts";

test("a program that keeps reading while the log grows is named by pid and command, until it ends", {
  skip: lacking({ installed: ["sqlite3"] }),
}, async (t) => {
  const layout = layoutOf(temporaryDirectory());
  mkdirSync(dirname(layout.engineDb), { recursive: true });
  const db = openEngine(layout.engineDb);
  t.after(() => db.close());
  db.exec("INSERT INTO allow_entry (prefix, note, by, at) VALUES ('192.0.2.1/32', '', 'root', 1)");
  // This process writes, as the guard does.
  const ours = { ...layout, node: process.execPath };
  const watch = new ReaderWatch(ours, 1);
  const reader = spawn("sqlite3", [layout.engineDb], { stdio: ["pipe", "pipe", "inherit"] });
  reader.stdin.write("BEGIN; SELECT count(*) FROM allow_entry;\n");
  await once(reader.stdout, "data");
  const large = new ReaderWatch(ours);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(watch.troubles(), []);
    watch.look();
    large.look();
  }
  assert.deepEqual(watch.troubles(), [
    { code: "database_reader", detail: `pid ${reader.pid}: sqlite3 ${layout.engineDb}` },
  ]);
  assert.deepEqual(large.troubles(), [], "a short log is not reported");
  reader.stdin.end(".quit\n");
  await once(reader, "close");
  watch.look();
  assert.deepEqual(watch.troubles(), []);
});
