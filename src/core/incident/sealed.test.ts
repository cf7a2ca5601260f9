import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleName, sealedEntry, sealedText } from "./sealed.ts";

const [AT, INCIDENT] = ["2026-11-20T09:15:00.000Z", "2026-11-20-x"];
const [REAL, OTHER] = ["a".repeat(64), "b".repeat(64)];
const BUNDLE = { incident: INCIDENT, at: AT, sha256: REAL };

const entry = (id: number, subject: string, type = "INCIDENT") => ({ id, type, subject });
const sealed = (sha256: string, incident = INCIDENT, at = AT): string =>
  `${incident} investigate: ${sealedText(bundleName(at), { files: "3 files", sha256, signer: OTHER })}`;

test("the step that sealed a bundle is found in the audit", () => {
  assert.equal(bundleName(AT), "bundle-20261120-091500.tar.gz");
  const later = sealed(OTHER, INCIDENT, "2026-11-20T10:15:00.000Z");
  assert.deepEqual(sealedEntry(BUNDLE, [entry(1, later), entry(7, sealed(REAL))]), { entry: 7 });
});

test("a note that repeats the words of the step is none, and neither is another incident's", () => {
  const note = `${INCIDENT} note: ${sealed(REAL)}`;
  for (const subject of [note, `${INCIDENT} note: ${REAL}`, sealed(REAL, "2026-11-20-y"), `${sealed(REAL)} x`])
    assert.ok("fault" in sealedEntry(BUNDLE, [entry(1, subject)]), subject);
  assert.ok("fault" in sealedEntry(BUNDLE, [entry(1, sealed(REAL), "BAN")]));
});

test("a bundle that was signed again is told, also if a later entry names it", () => {
  const found = sealedEntry(BUNDLE, [entry(7, sealed(OTHER)), entry(8, sealed(REAL))]);
  assert.deepEqual(found, { fault: `entry 7 of the audit names another manifest: ${OTHER}` });
});
