import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commandsOf, HASH } from "../../../test/kit/commands-kit.ts";
import type { Command } from "../../admin/declare/control.ts";

const kit = commandsOf(import.meta.filename);

describe("commands that fail", () => {
  test("a command whose record could not be stored does not report success", async () => {
    await kit.ask({ verb: "account_create_hashed", name: "alice@example.test", hash: HASH });
    await kit.ask({ verb: "account_create_hashed", name: "bea@example.test", hash: HASH });
    kit.fillDisk();
    const commands: readonly Command[] = [
      { verb: "account_create_hashed", name: "cleo@example.test", hash: HASH },
      { verb: "account_suspend", name: "alice@example.test" },
      { verb: "token_create", name: "nightly", digest: "0".repeat(64), scopes: ["read"], for: null },
      { verb: "admin_set_hash", hash: `{ARGON2ID}${HASH.slice(HASH.indexOf("}") + 1)}` },
      { verb: "greylist_pause", recipient: "owner@example.test", for: null },
      { verb: "accounts_import_hashed", entries: [{ name: "cleo@example.test", hash: HASH }] },
      { verb: "accounts_follow", entries: [{ name: "cleo@example.test", hash: HASH }], gone: [] },
      { verb: "spam_allow_add", account: "bea@example.test", sender: "*@friend.example" },
    ];
    for (const command of commands) {
      // After a refused write, the engine waits before it tries the database again.
      kit.clock.advance(2_000);
      const reply = await kit.ask(command);
      assert.ok(
        !reply.ok && /it was not recorded|record of it could not be written/.test(reply.message),
        JSON.stringify([command, reply]),
      );
    }
    assert.deepEqual(kit.kept(), ["kick_account"]);
    kit.clock.advance(2_000);
    const reload = { ok: true, result: { changed: [], recorded: false } };
    assert.deepEqual(await kit.ask({ verb: "reload" }), reload, "settings are in force anyway");
  });

  test("a command whose change could not be flushed does not report success; reads still work", async () => {
    const ban: Command = { verb: "ban", target: "203.0.113.7", note: "", for: null };
    assert.ok((await kit.ask(ban)).ok);
    kit.failDisk();
    const reply = await kit.ask({ ...ban, target: "203.0.113.8" });
    assert.ok(!reply.ok && /the change may or may not have taken effect/.test(reply.message));
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
