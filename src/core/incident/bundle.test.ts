import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleName, packedEntry, packedText } from "./incident.ts";

const [REAL, OTHER] = ["a".repeat(64), "b".repeat(64)];
const BUNDLE = { name: bundleName("2026-11-20T09:15:00.000Z"), sha256: REAL };

const entry = (id: number, subject: string, type = "INCIDENT") => ({ id, type, subject });
const packed = (sha256: string, name = BUNDLE.name): string =>
  `2026-11-20-x investigate: ${packedText(name, { files: "3 files", sha256 })}`;

test("the audit names the step that packed a bundle", () => {
  assert.equal(BUNDLE.name, "bundle-20261120-091500.tar.gz");
  const later = packed(OTHER, "bundle-20261120-101500.tar.gz");
  assert.deepEqual(packedEntry(BUNDLE, [entry(1, later), entry(7, packed(REAL))]), { entry: 7 });
});

test("a note that repeats the words of the step does not count", () => {
  for (const subject of [`2026-11-20-x note: ${packed(REAL)}`, `2026-11-20-x note: ${REAL}`, `${packed(REAL)} x`])
    assert.ok("fault" in packedEntry(BUNDLE, [entry(1, subject)]), subject);
  assert.ok("fault" in packedEntry(BUNDLE, [entry(1, packed(REAL), "BAN")]));
});

test("a changed bundle is found even if a later entry names it", () => {
  const found = packedEntry(BUNDLE, [entry(7, packed(OTHER)), entry(8, packed(REAL))]);
  assert.deepEqual(found, { fault: `its SHA-256 is ${REAL}, but entry 7 of the audit names ${OTHER}` });
});
