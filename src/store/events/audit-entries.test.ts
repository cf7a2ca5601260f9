import assert from "node:assert/strict";
import { test } from "node:test";
import { engineDatabase, START } from "../../../test/kit/test-database.ts";
import { auditRecord } from "../../core/events/event.ts";
import { AuditEntries } from "./audit.ts";

test("pages go back from the newest entry, and the whole goes forward", (t) => {
  const { store, committed, reader } = engineDatabase(t);
  committed(() => {
    for (let i = 1; i <= 5; i++)
      store.append(auditRecord({ type: "TOKEN_CREATED", subject: `token-${i}`, by: "root" }, START));
  });
  const entries = new AuditEntries(reader);
  const page = (cursor: string | null) => {
    const { items, next, total } = entries.page({ limit: 2, cursor });
    return [items.map(({ subject }) => subject), next, total];
  };
  assert.deepEqual(page(null), [["token-5", "token-4"], "4", 5]);
  assert.deepEqual(page("4"), [["token-3", "token-2"], "2", 5]);
  assert.deepEqual(page("2"), [["token-1"], null, 5]);
  assert.deepEqual(
    [...entries.all()].map(({ id }) => id),
    [1, 2, 3, 4, 5],
  );
  assert.equal(entries.check([], START).last, 5);
  const { at, since } = entries.lastOf("TOKEN_CREATED");
  assert.deepEqual([at === since, at === null, entries.lastOf("BAN").at], [true, false, null]);
});
