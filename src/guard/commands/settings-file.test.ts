import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory } from "../../../test/kit/commands-kit.ts";
import { changeFile } from "../../settings/change-file.ts";
import { pending, recordOf, reload, undone, valuesOf } from "./settings-file.ts";

test("a record has each value before and after, only the first part of a long one, and only the key of further ones", () => {
  const names = Array.from({ length: 20 }, (_, i) => `"name-${i}"`).join(", ");
  const changed = changeFile(
    'domains = ["example.org"]\n',
    [
      { key: "limits.mail.per_minute", value: "20" },
      { key: "recipients.blocked", value: `[${names}]` },
    ],
    {},
  );
  assert.ok(changed.ok);
  const says = recordOf(valuesOf(changed), ["limits.mail.per_minute"]);
  assert.match(says, /^limits\.mail\.per_minute = 20, was 10; recipients\.blocked = \["name-0", .{69}…, was \[/);
  assert.match(recordOf(undone(valuesOf(changed)), []), /^limits\.mail\.per_minute = 10, was 20; /);
  assert.equal(recordOf([], ["limits.mail.per_minute"]), "limits.mail.per_minute");
});

const BROKEN = { ok: false, reason: "Line 1 is not TOML." } as const;

test("a file that cannot be read changes nothing, and says so", async () => {
  const { engine, rows } = commandsOnMemory();
  const reported = { ok: false, kind: "failed", message: BROKEN.reason, next: "`config check` lists every problem." };
  assert.deepEqual(pending({ pending: () => BROKEN }), reported);
  assert.deepEqual(await reload({ reload: () => BROKEN, engine }, "root"), reported);
  assert.equal(rows(), 0);
});
