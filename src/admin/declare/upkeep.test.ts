import assert from "node:assert/strict";
import { test } from "node:test";
import { parseKeeperReply } from "./keeper.ts";

const CHECKED = {
  checkedAt: "2026-11-20T06:00:00.000Z",
  first: 1,
  last: 3,
  anchored: null,
  unreadableAnchors: 0,
  fault: null,
};
const ITEM = { name: "backup", state: "ok", at: null, says: "x", command: "y" };

test("a keeper's answer about the upkeep is read only if every field is one", () => {
  const read = (upkeep: unknown) => parseKeeperReply(JSON.stringify({ ok: true, detail: "", upkeep }));
  assert.deepEqual(read([ITEM]), { ok: true, detail: "", upkeep: [ITEM] });
  for (const wrong of [{ name: "other" }, { state: "fine" }, { at: 3 }, { says: null }])
    assert.equal(read([{ ...ITEM, ...wrong }]), null, JSON.stringify(wrong));
});

test("a keeper's answer about the audit is read only if every field is one", () => {
  const read = (audit: unknown) => parseKeeperReply(JSON.stringify({ ok: true, detail: "", audit }));
  for (const audit of [null, CHECKED, { ...CHECKED, anchored: { id: 2, at: "x" }, fault: { id: 3, says: "y" } }])
    assert.deepEqual(read(audit), { ok: true, detail: "", audit });
  for (const wrong of [{ first: "1" }, { anchored: 2 }, { fault: "none" }, { checkedAt: null }])
    assert.equal(read({ ...CHECKED, ...wrong }), null, JSON.stringify(wrong));
});
