import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { accountsOnMemory } from "../../../../test/kit/engine-kit.ts";
import { parseSenderPattern } from "../../../core/events/sender-pattern.ts";
import { type AccountName, parseAccountName, parseAddress } from "../../../core/net/address.ts";
import { instant } from "../../../core/time.ts";
import { engineMigrations } from "../engine-db/migrations.ts";
import { migrate } from "../migrate.ts";

const NOW = instant(1_800_000_000_000);

function name(text: string): AccountName {
  const parsed = parseAccountName(text);
  assert.ok(parsed !== null);
  return parsed;
}

function address(text: string) {
  const parsed = parseAddress(text);
  assert.ok(parsed !== null);
  return parsed;
}

test("an account's list holds for aliases that lead to it alone, and ends with the account", () => {
  const engine = new DatabaseSync(":memory:");
  migrate(engine, engineMigrations, 1);
  const { accounts, senders: on } = accountsOnMemory();
  const senders = on(engine);
  const [anna, bert] = [name("anna@example.test"), name("bert@example.test")];
  for (const account of [anna, bert]) accounts.add(account, "{PLAIN}x", NOW);
  accounts.addAlias(address("info@example.test"), [anna]);
  accounts.addAlias(address("both@example.test"), [anna, bert]);
  const friend = parseSenderPattern("*@friend.example");
  assert.ok(friend !== null);
  assert.equal(senders.allowSender(anna, friend, "root", NOW).ok, true);
  assert.deepEqual(
    [...senders.byRecipient()],
    [
      ["anna@example.test", [friend]],
      ["info@example.test", [friend]],
    ],
  );
  accounts.remove(anna);
  assert.equal(senders.byRecipient().size, 0);
  accounts.add(anna, "{PLAIN}y", NOW);
  assert.deepEqual(senders.allowedSenders(), [], "whoever gets the name next starts without");
});
