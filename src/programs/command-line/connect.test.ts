import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { test } from "node:test";
import { dataDirectory, startGuard } from "../../../test/kit/test-guard.ts";
import { connect } from "./connect.ts";

test("opens the databases only after the guard has answered", async () => {
  using layout = dataDirectory();
  const { reader, guard } = connect(layout, { SUDO_USER: "anna" });
  const down = await reader();
  assert.equal(down.ok ? "" : down.exit, "not_running");
  assert.ok(!existsSync(layout.engineDb));
  const running = await startGuard(layout);
  try {
    assert.ok((await guard.ask<"ban">({ verb: "ban", target: "203.0.113.7", note: "", for: null })).ok);
    const up = await reader();
    assert.ok(up.ok);
    const [latest] = up.reader.queries.events({ most: 1, order: "newest_first" }).items;
    assert.deepEqual([latest?.type, latest?.actor], ["BAN", "root (anna)"]);
    for (const file of ["accounts.db", "engine.db"]) {
      rmSync(file === "engine.db" ? layout.engineDb : layout.accountsDb);
      const unusable = await reader();
      assert.ok(!unusable.ok && unusable.message.includes(file));
      assert.deepEqual([unusable.exit, unusable.next], ["failed", "`./ghostinbox status` shows more."]);
    }
  } finally {
    await running.stop();
  }
});
