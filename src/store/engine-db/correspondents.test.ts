import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountName, mailAddress } from "../../../test/kit/samples.ts";
import { accountsFor, engineDatabase, planOf, retain, START } from "../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, later } from "../../core/time.ts";
import { sqliteAccounts } from "../accounts-db/accounts.ts";
import { sqliteCorrespondents } from "./correspondents.ts";
import { sqliteHonestMail } from "./honest-mail.ts";

const anna = accountName("anna@example.org");

function opened(t: TestContext) {
  const { db: engine, store, committed } = engineDatabase(t);
  const accounts = accountsFor(t);
  const wrote = (account: string, address: string, at = START): void =>
    committed(() => store.apply({ type: "CORRESPOND", address, account }, at));
  return { engine, accounts: sqliteAccounts(accounts), known: sqliteCorrespondents(engine, accounts), wrote };
}

test("a correspondent without mail for a long time is forgotten", (t) => {
  const { engine, wrote } = opened(t);
  const honest = sqliteHonestMail(engine);
  wrote(anna, "old@example.net");
  for (const at of [START, later(START, DAY_MS)]) wrote(anna, "new@example.net", at);
  assert.deepEqual(["OLD@Example.NET", "other@example.net"].map(honest.hasWrittenTo), [true, false]);
  retain(engine, later(START, 400 * DAY_MS + 1));
  assert.equal(honest.hasWrittenTo("old@example.net"), false);
  assert.equal(honest.hasWrittenTo("new@example.net"), true);
});

test("a pause applies to the recipient, its extensions and its aliases until it expires", (t) => {
  const { accounts, known } = opened(t);
  accounts.add(anna, "{PLAIN}x", START);
  accounts.addAlias(mailAddress("info@example.org"), [anna]);
  const until = later(START, HOUR_MS);
  const isPaused = (recipient: string, at = START): boolean => known.isPaused(recipient, at);
  assert.equal(isPaused("anna@example.org"), false);
  known.pause({ target: "anna@example.org", until, by: "root" });
  for (const recipient of ["anna@example.org", "Anna+shop@Example.org", "info@example.org", "info+a@example.org"]) {
    assert.equal(isPaused(recipient), true, recipient);
    assert.equal(isPaused(recipient, until), false, recipient);
  }
  assert.equal(isPaused("bert@example.org"), false);
});

test("whether an account wrote to a domain is found by address, extension and alias, through an index", (t) => {
  const { engine, accounts, known, wrote } = opened(t);
  accounts.add(anna, "{PLAIN}x", START);
  accounts.addAlias(mailAddress("sales@example.org"), [anna]);
  wrote("Anna@example.org", "teller@bank.test");
  for (const recipient of ["anna@example.org", "ANNA+bills@example.org", "sales@example.org"])
    assert.equal(known.wroteTo(recipient, ["mx.bank.test", "bank.test"]), true, recipient);
  assert.equal(known.wroteTo("anna@example.org", ["otherbank.test", "test"]), false);
  assert.equal(known.wroteTo("bert@example.org", ["bank.test"]), false);
  const byDomain =
    "SELECT 1 FROM correspondent WHERE substr(address, instr(address, '@') + 1) IN (SELECT value FROM json_each(?))";
  assert.match(planOf(engine, byDomain).join(), /correspondent_by_domain/);
});
