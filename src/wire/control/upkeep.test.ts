import assert from "node:assert/strict";
import { test } from "node:test";
import { parseKeeperReply } from "./keeper.ts";

const ITEM = { name: "backup", state: "ok", at: null, says: "x", command: "y" };

test("a keeper's answer about the upkeep is read only if every field is one", () => {
  const read = (upkeep: unknown) => parseKeeperReply(JSON.stringify({ ok: true, detail: "", upkeep }));
  assert.deepEqual(read([ITEM]), { ok: true, detail: "", upkeep: [ITEM] });
  for (const wrong of [{ name: "other" }, { state: "fine" }, { at: 3 }, { says: null }])
    assert.equal(read([{ ...ITEM, ...wrong }]), null, JSON.stringify(wrong));
});
