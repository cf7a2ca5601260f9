import assert from "node:assert/strict";
import { test } from "node:test";
import { accountsOnMemory } from "../../../test/kit/engine-kit.ts";
import { accountName, mailAddress } from "../../../test/kit/samples.ts";
import { parseSenderPattern } from "../../core/net/address.ts";
import { instant } from "../../core/time.ts";

const NOW = instant(1_800_000_000_000);

test("an account's list holds for aliases that lead only to it, and ends with the account", () => {
  const { accounts, senders } = accountsOnMemory();
  const [anna, bert] = [accountName("anna@example.test"), accountName("bert@example.test")];
  for (const account of [anna, bert]) accounts.add(account, "{PLAIN}x", NOW);
  accounts.addAlias(mailAddress("info@example.test"), [anna]);
  accounts.addAlias(mailAddress("both@example.test"), [anna, bert]);
  const friend = parseSenderPattern("*@friend.example");
  assert.ok(friend !== null);
  assert.equal(senders.allowSender(anna, friend, "root", NOW).ok, true);
  assert.equal(senders.allowSender(anna, friend, "root", NOW).ok, false);
  assert.equal(senders.changes(), 1);
  const allowed = { "anna@example.test": [friend], "info@example.test": [friend] };
  assert.deepEqual(Object.fromEntries(senders.byRecipient()), allowed);
  accounts.remove(anna);
  assert.equal(senders.byRecipient().size, 0);
  accounts.add(anna, "{PLAIN}y", NOW);
  assert.deepEqual(senders.allowedSenders(), [], "the next account of that name starts without");
  senders.allowSender(anna, friend, "root", NOW);
  senders.disallowSender(anna, friend);
  assert.equal(senders.changes(), 3);
});
