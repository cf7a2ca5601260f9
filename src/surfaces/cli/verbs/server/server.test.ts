import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { lacking } from "../../../../../test/kit/needs.ts";
import { dataDirectory, ghostinbox, oneLineOfError } from "../../../../../test/kit/test-guard.ts";
import { releaseLock, takeLock } from "../../../../host/running/data-directory.ts";

test("a program that is older than the data restarts nothing", { skip: lacking({ root: true }) }, async () => {
  using layout = dataDirectory();
  const db = new DatabaseSync(layout.engineDb);
  db.exec("CREATE TABLE t (x); PRAGMA user_version = 1000");
  db.close();
  takeLock(layout.startPid, layout.data);
  try {
    const ran = await ghostinbox(layout, ["restart"]);
    assert.equal(ran.code, 1);
    assert.match(
      oneLineOfError(ran),
      /^Nothing was restarted: .* written by a newer GhostInbox .* The server still runs\.\n$/,
    );
  } finally {
    releaseLock(layout.startPid);
  }
});
