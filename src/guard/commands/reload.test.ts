import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory } from "../../../test/kit/commands-kit.ts";
import { pending, reload } from "./settings-file.ts";

const BROKEN = { ok: false, reason: "Line 1 is not TOML." } as const;

test("a file that cannot be read changes nothing, and says so", async () => {
  const { engine, rows } = commandsOnMemory();
  const reported = { ok: false, kind: "failed", message: BROKEN.reason, next: "`config check` lists every problem." };
  assert.deepEqual(pending({ pending: () => BROKEN }), reported);
  assert.deepEqual(await reload({ reload: () => BROKEN, engine }, "root"), reported);
  assert.equal(rows(), 0);
});

test("a reload records which settings changed", async () => {
  const { engine, details } = commandsOnMemory();
  const changed = ["limits.mail.per_minute", "bans.ladder"];
  assert.deepEqual(await reload({ reload: () => ({ ok: true, changed }), engine }, "root"), {
    ok: true,
    result: { changed, recorded: true },
  });
  await reload({ reload: () => ({ ok: true, changed: [] }), engine }, "root");
  assert.deepEqual(details(), ["limits.mail.per_minute, bans.ladder by root", "nothing changed by root"]);
});
