import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { banOf, engineDatabase, eventRow, START } from "../../../test/kit/test-database.ts";
import type { Anchor } from "../../core/audit/chain.ts";
import { auditRecord } from "../../core/events/command.ts";
import { sqliteAuditEntries } from "./audit.ts";

/** An `engine.db` in which root has added five accounts. */
function audited(t: TestContext) {
  const kit = engineDatabase(t);
  const { db, store, reader, committed } = kit;
  const add = (...names: readonly string[]): void =>
    committed(() => {
      for (const name of names)
        store.append(auditRecord({ type: "ACCOUNT_ADDED", subject: `${name}@example.org`, by: "root" }, START));
    });
  add("a", "b", "c");
  add("d", "e");
  const fault = (...anchors: readonly Anchor[]): string | undefined =>
    sqliteAuditEntries(db).check(anchors, START).fault?.says;
  const anchor = (): Anchor => {
    const { last: id, head: hash } = sqliteAuditEntries(db).check([], START);
    return { at: "2026-11-20T07:00:00.000Z", id, hash };
  };
  return { ...kit, add, fault, anchor, entries: sqliteAuditEntries(reader) };
}

test("commands are added to the chain in their transaction, and mail is not", (t) => {
  const { store, committed, entries, fault } = audited(t);
  committed(() => {
    for (let i = 0; i < 100; i++) store.append(eventRow("203.0.113.7", START));
    store.apply({ type: "BAN", ban: banOf("203.0.113.7", START) }, START);
  });
  store.begin();
  store.append(auditRecord({ type: "TOKEN_CREATED", subject: "nightly", by: "root" }, START));
  store.rollback();
  assert.equal(entries.page({ limit: 10, cursor: null }).total, 5);
  assert.equal(fault(), undefined);
});

test("a hold of an account is added to the chain by its change", (t) => {
  const { store, committed, entries, fault } = audited(t);
  const { ip, prefix } = banOf("203.0.113.7", START);
  const evidence = { count: 101, limit: 100, windowMs: 3_600_000, key: "limits.sending.strangers" };
  committed(() => store.apply({ type: "HOLD_ACCOUNT", account: "a@example.org", prefix, ip, evidence }, START));
  const [held] = entries.page({ limit: 1, cursor: null }).items;
  assert.deepEqual([held?.type, held?.subject, held?.id], ["ACCOUNT_HELD", "a@example.org", 6]);
  assert.equal(fault(), undefined);
});

test("removed newest entries are noticed without an anchor, even after the chain has grown", (t) => {
  const { db, add, fault } = audited(t);
  db.exec("DELETE FROM audit_entry WHERE id > 3");
  assert.match(fault() ?? "", /^2 entries from 4 on are missing/);
  add("f");
  assert.match(fault() ?? "", /^2 entries from 4 on are missing/, "SQLite reuses no number");
  db.exec("DELETE FROM audit_entry");
  add("g");
  assert.match(fault() ?? "", /^6 entries from 1 on are missing/);
});

test("an anchor reveals removed entries even if the numbers were set back", (t) => {
  const { db, add, fault, anchor } = audited(t);
  const anchored = anchor();
  db.exec("DELETE FROM audit_entry WHERE id > 3; UPDATE sqlite_sequence SET seq = 3 WHERE name = 'audit_entry'");
  add("f", "g", "h");
  assert.equal(fault(), undefined);
  assert.match(fault(anchored) ?? "", /^entry 5 is not the one that was anchored/);
});
