import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { GENESIS } from "../../core/audit/chain.ts";
import { appendRecord } from "../../host/root-files/record-file.ts";
import { readAnchors } from "./audit-anchors.ts";

const anchor = (id: number) => ({ at: "2026-11-20T06:00:00.000Z", id, hash: GENESIS });

test("reads anchors in the order in which they were made; without a file there are none", () => {
  const path = join(temporaryDirectory(), "anchors");
  assert.deepEqual(readAnchors(path), { anchors: [], unreadable: 0 });
  const accepted = { ...anchor(1), accepted: { reason: "a recovery", sum: GENESIS } };
  for (const one of [anchor(2), accepted, anchor(3)]) appendRecord(path, one);
  assert.deepEqual(readAnchors(path), { anchors: [anchor(2), accepted, anchor(3)], unreadable: 0 });
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("counts each line that is not an anchor", () => {
  const path = join(temporaryDirectory(), "anchors");
  const bad = ["null", "[]", "{", JSON.stringify({ ...anchor(1), hash: "x" }), JSON.stringify({ ...anchor(-1) })];
  writeFileSync(path, `${bad.join("\n")}\n`);
  assert.deepEqual(readAnchors(path), { anchors: [], unreadable: 5 });
});
