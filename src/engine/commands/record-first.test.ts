import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { rehearsalOn } from "../../adapters/sqlite/rehearsal.ts";
import type { Outcome } from "../ports.ts";
import { recordFirst } from "./record-first.ts";

function kit() {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE number (n INTEGER UNIQUE)");
  const count = (): number => Number(db.prepare("SELECT count(*) AS n FROM number").get()?.["n"]);
  const change = (): Outcome =>
    db.prepare("INSERT INTO number VALUES (1) ON CONFLICT DO NOTHING").run().changes === 0
      ? { ok: false, reason: "It is there." }
      : { ok: true };
  return { parts: { rehearse: rehearsalOn(db) }, count, change };
}

test("the record comes before the change, which is not there yet", async () => {
  const { parts, count, change } = kit();
  const seen: number[] = [];
  const record = (): Promise<boolean> => Promise.resolve(seen.push(count()) > 0);
  assert.deepEqual(await recordFirst(parts, change, record), { ok: true });
  assert.deepEqual([seen, count()], [[0], 1]);
});

test("what cannot be recorded is not done, and what would be refused is not recorded", async () => {
  const { parts, count, change } = kit();
  assert.equal(await recordFirst(parts, change, () => Promise.resolve(false)), "unwritten");
  assert.equal(count(), 0);
  change();
  const none = (): Promise<boolean> => assert.fail("recorded");
  assert.deepEqual(await recordFirst(parts, change, none), { ok: false, reason: "It is there." });
});
