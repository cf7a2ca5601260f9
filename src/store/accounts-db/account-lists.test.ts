import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountName, mailAddress } from "../../../test/kit/samples.ts";
import { accountsFor, HASH, START } from "../../../test/kit/test-database.ts";
import { openAccountsForReading } from "../open.ts";
import { sqliteAccountLists } from "./account-lists.ts";
import { sqliteAccounts } from "./accounts.ts";

const ALL = { text: null, limit: 9, cursor: null } as const;

function fresh(t: TestContext) {
  const db = accountsFor(t);
  const accounts = sqliteAccounts(db);
  for (const name of ["ann@example.org", "bob@example.org", "a_b@example.net"])
    assert.ok(accounts.add(accountName(name), HASH, START).ok);
  const alias = (address: string, ...targets: readonly string[]): void =>
    assert.ok(accounts.addAlias(mailAddress(address), targets.map(mailAddress)).ok);
  alias("info@example.org", "bob@example.org", "ann@example.org");
  alias("shop@example.org", "ann@example.org", "else@where.test");
  const reader = openAccountsForReading(db.location() ?? "");
  t.after(() => reader.close());
  return { accounts, search: sqliteAccountLists(reader) };
}

test("accounts are found by a part of the name, in any case, a page at a time; the query has no wildcards", (t) => {
  const { accounts, search } = fresh(t);
  const names = (text: string | null, more: object = {}): readonly string[] =>
    search.accounts({ ...ALL, text, ...more }).items.map(({ name }) => name);
  assert.deepEqual(names(null), ["a_b@example.net", "ann@example.org", "bob@example.org"]);
  assert.deepEqual(names("ANN@"), ["ann@example.org"]);
  assert.deepEqual(names("a_"), ["a_b@example.net"]);
  assert.deepEqual(names("%"), []);
  assert.ok(accounts.add(accountName("eva@bücher.test"), HASH, START).ok);
  for (const text of ["Eva@Bücher.test", "bücher"]) assert.deepEqual(names(text), ["eva@xn--bcher-kva.test"]);
  const page = search.accounts({ text: ".org", limit: 1, cursor: null });
  assert.deepEqual([page.items.length, page.next, page.total], [1, "ann@example.org", 2]);
  assert.deepEqual(names(".org", { limit: 1, cursor: page.next }), ["bob@example.org"]);
});

test("accounts are returned whole, by a connection that cannot write", (t) => {
  const { accounts, search } = fresh(t);
  accounts.setSuspended(accountName("bob@example.org"), true);
  const rest = { origin: "command", networks: [], quotaBytes: null, createdAt: "2026-11-20T06:00:00.000Z" };
  assert.deepEqual(search.accounts({ ...ALL, text: ".org" }).items, [
    { name: "ann@example.org", suspended: false, ...rest },
    { name: "bob@example.org", suspended: true, ...rest },
  ]);
});

test("aliases are found by their address and by each target, and returned whole", (t) => {
  const { accounts, search } = fresh(t);
  assert.ok(accounts.setAliasBlocked(mailAddress("shop@example.org"), true).ok);
  const shop = { address: "shop@example.org", targets: ["ann@example.org", "else@where.test"], blocked: true };
  const info = { address: "info@example.org", targets: ["ann@example.org", "bob@example.org"], blocked: false };
  assert.deepEqual(search.aliases(ALL), { items: [info, shop], next: null, total: 2 });
  assert.deepEqual(search.aliases({ ...ALL, text: "WHERE.test" }), { items: [shop], next: null, total: 1 });
  assert.deepEqual(search.aliases({ ...ALL, text: "info" }).items, [info]);
  assert.deepEqual(search.aliases({ ...ALL, limit: 1 }), { items: [info], next: "info@example.org", total: 2 });
  assert.deepEqual(search.aliasesTo(accountName("ann@example.org"), 9), [info, shop]);
  assert.deepEqual(search.aliasesTo(accountName("ann@example.org"), 1), [info]);
  assert.ok(accounts.addAlias(mailAddress("sales@example.org"), [mailAddress("info@example.org")]).ok);
  const leading = search.addressesOf(accountName("bob@example.org"), 9);
  assert.deepEqual(leading, ["bob@example.org", "info@example.org", "sales@example.org"], "also by another alias");
  assert.equal(search.addressesOf(accountName("bob@example.org"), 2).length, 2);
  const counts = search.aliasCounts(["ann@example.org", "bob@example.org", "a_b@example.net"]);
  assert.deepEqual(Object.fromEntries(counts), { "ann@example.org": 2, "bob@example.org": 1 });
});
