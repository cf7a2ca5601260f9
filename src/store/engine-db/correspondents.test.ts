import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { START, scratch } from "../../../test/kit/test-database.ts";
import { parseAccountName, parseAddress } from "../../core/net/address.ts";
import { later } from "../../core/time.ts";
import { SqliteAccounts } from "../accounts-db/accounts.ts";
import { EventCount } from "../events/event-ids.ts";
import { Retention } from "../events/retention.ts";
import { surplusOf } from "../maintenance/work.ts";
import { openAccounts, openEngine } from "../open.ts";
import { SqliteCorrespondents } from "./correspondents.ts";
import { SqliteStore } from "./store.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function opened(t: TestContext) {
  const directory = scratch(t);
  const engine = openEngine(join(directory, "engine.db"));
  const accounts = openAccounts(join(directory, "accounts.db"));
  t.after(() => {
    engine.close();
    accounts.close();
  });
  return { engine, accounts, known: new SqliteCorrespondents(engine, accounts), store: new SqliteStore(engine) };
}

test("a correspondent of an account is known from the commit on, ignoring case", (t) => {
  const { known, store } = opened(t);
  store.begin();
  store.apply({ type: "CORRESPOND", address: "shop@example.net", account: "anna@example.org" }, START);
  store.apply({ type: "CORRESPOND", address: "shop@example.net", account: "anna@example.org" }, later(START, 5));
  store.commit();
  assert.equal(known.isCorrespondent("Shop@Example.NET"), true);
  assert.equal(known.isCorrespondent("other@example.net"), false);
});

test("a correspondent without mail for long is forgotten", (t) => {
  const { engine, known, store } = opened(t);
  store.begin();
  store.apply({ type: "CORRESPOND", address: "old@example.net", account: "anna@example.org" }, START);
  store.apply({ type: "CORRESPOND", address: "new@example.net", account: "anna@example.org" }, later(START, DAY_MS));
  store.commit();
  const limits = { maxRows: 1_000, maxBytes: 1_000_000_000, maxAgeMs: DAY_MS, windowMs: DAY_MS };
  const retention = new Retention(engine, new EventCount(engine), limits);
  const now = later(START, 400 * DAY_MS + 1);
  retention.counted(surplusOf(engine, now), now);
  while (retention.step(now, 100));
  assert.equal(known.isCorrespondent("old@example.net"), false);
  assert.equal(known.isCorrespondent("new@example.net"), true);
});

test("a pause holds for the recipient, its extensions and its aliases, until its time is over", (t) => {
  const { accounts: db, known } = opened(t);
  const accounts = new SqliteAccounts(db);
  const anna = parseAccountName("anna@example.org");
  const info = parseAddress("info@example.org");
  assert.ok(anna !== null && info !== null);
  accounts.add(anna, "{PLAIN}x", START);
  accounts.addAlias(info, [anna]);
  const until = later(START, HOUR_MS);
  const isPaused = (recipient: string, at = START): boolean => known.isPaused(recipient, at);
  assert.equal(isPaused("anna@example.org"), false);
  known.pause({ target: "anna@example.org", until, by: "root" });
  for (const recipient of ["anna@example.org", "Anna+shop@Example.org", "info@example.org", "info+a@example.org"]) {
    assert.equal(isPaused(recipient), true, recipient);
    assert.equal(isPaused(recipient, until), false, recipient);
  }
  assert.equal(isPaused("bert@example.org"), false);

  known.pause({ target: "anna@example.org", until: later(until, 1), by: "admin" });
  assert.deepEqual(known.pauses(START), [{ target: "anna@example.org", until: later(until, 1), by: "admin" }]);
  assert.equal(known.resume("anna@example.org", START), true);
  assert.equal(known.resume("anna@example.org", START), false);
  assert.equal(isPaused("anna@example.org"), false);
});

test("who wrote to which domain is found by address, extension and alias, through an index", (t) => {
  const { engine, accounts, known, store } = opened(t);
  const [anna, sales] = [parseAccountName("anna@example.org"), parseAddress("sales@example.org")];
  assert.ok(anna !== null && sales !== null);
  const directory = new SqliteAccounts(accounts);
  directory.add(anna, "{PLAIN}x", START);
  directory.addAlias(sales, [anna]);
  store.begin();
  store.apply({ type: "CORRESPOND", address: "teller@bank.test", account: "Anna@example.org" }, START);
  store.commit();
  for (const recipient of ["anna@example.org", "ANNA+bills@example.org", "sales@example.org"])
    assert.equal(known.wroteTo(recipient, ["mx.bank.test", "bank.test"]), true, recipient);
  assert.equal(known.wroteTo("anna@example.org", ["otherbank.test", "test"]), false);
  assert.equal(known.wroteTo("bert@example.org", ["bank.test"]), false);
  const plan = engine
    .prepare(
      "EXPLAIN QUERY PLAN SELECT 1 FROM correspondent WHERE substr(address, instr(address, '@') + 1) IN (SELECT value FROM json_each(?))",
    )
    .all("[]");
  assert.match(JSON.stringify(plan), /correspondent_by_domain/);
});
