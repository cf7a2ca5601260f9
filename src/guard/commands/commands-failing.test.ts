import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commandsOf, HASH, refusalOf } from "../../../test/kit/commands-kit.ts";
import type { Command } from "../../admin/declare/control.ts";

const kit = commandsOf(import.meta.filename);

describe("commands that fail", () => {
  test("new settings and a new password of the dashboard are in force even if that could not be recorded", async () => {
    kit.fillDisk();
    assert.match(await kit.said({ verb: "admin_set_hash", hash: HASH }), /it was not recorded/);
    kit.clock.advance(2_000);
    const reload = { ok: true, result: { changed: [], recorded: false } };
    assert.deepEqual(await kit.ask({ verb: "reload" }), reload);
  });

  test("a command whose change could not be flushed does not report success; reads still work", async () => {
    const ban: Command = { verb: "ban", target: "203.0.113.7", note: "", for: null };
    assert.ok((await kit.ask(ban)).ok);
    kit.failDisk();
    assert.match(
      refusalOf(await kit.ask({ ...ban, target: "203.0.113.8" })),
      /the change may or may not have taken effect/,
    );
    for (const verb of ["ping", "health", "reload"] as const) assert.ok((await kit.ask({ verb })).ok, verb);
    assert.ok((await kit.ask({ verb: "account_state", name: "anna@example.test" })).ok);
  });

  test("an unexpected failure is reported with its reason and where to look", async () => {
    kit.db.exec("DROP TABLE greylist_pause");
    const failed = await kit.ask({ verb: "greylist_resume", recipient: "owner@example.test" });
    assert.ok(!failed.ok && failed.kind === "failed");
    assert.match(failed.message, /^It could not be done: .+\.$/);
    assert.equal(failed.next, "`status` shows what is wrong.");
  });

  test("if health cannot be read, the reply points to the guard's log", async (t) => {
    t.mock.method(kit.notices, "list", () => assert.fail("no list"));
    const failed = await kit.ask({ verb: "health" });
    assert.ok(!failed.ok && failed.next === "See its log below log/guard.");
  });
});
