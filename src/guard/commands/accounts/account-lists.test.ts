import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import { guess } from "../../../../test/kit/engine-events.ts";
import { beforeEachOf } from "../../../../test/kit/hooks.ts";
import { ip } from "../../../../test/kit/samples.ts";

const [ANNA, BERT] = ["anna@example.test", "bert@example.test"];
const INFO = { address: "info@example.test", targets: [ANNA, BERT], blocked: false };
const ALL = { text: null, limit: 50, cursor: null } as const;

const kit = commandsOf(import.meta.filename, ANNA, BERT);
beforeEachOf(import.meta.filename, async () => {
  await kit.result({ verb: "alias_add", address: "info@example.test", targets: [ANNA, BERT] });
  await kit.result({ verb: "networks_add", name: BERT, networks: ["203.0.113.0/24"] });
});

test("a list of accounts has for each what a page shows, and no password", async () => {
  await kit.engine.ask({ ...guess("right", ip("203.0.113.9")), login: ANNA, type: "LOGIN_SUCCEEDED" });
  const listed = await kit.result({ verb: "account_list", ...ALL });
  assert.equal(listed.total, 2);
  assert.equal(listed.passwordsOnServer, false);
  const at = new Date(kit.clock.now()).toISOString();
  assert.partialDeepStrictEqual(listed.items, [
    { name: ANNA, guarded: false, held: false, aliases: 1, networks: [], lastSignIn: { at, from: "203.0.113.9/32" } },
    { name: BERT, suspended: false, aliases: 1, networks: ["203.0.113.0/24"], lastSignIn: null },
  ]);
  assert.ok(!JSON.stringify(listed).includes("ARGON2ID"));
  assert.equal((await kit.result({ verb: "account_list", ...ALL, text: "bert" })).items.length, 1);
});

test("an account whose password strangers guess is shown as guarded in the list too", async () => {
  for (let i = 0; i < kit.engine.policy.accounts.failures; i++)
    await kit.engine.ask({ ...guess(`w${i}`, ip(`198.51.${i}.7`)), login: ANNA });
  const { items } = await kit.result({ verb: "account_list", ...ALL });
  const areGuarded = items.map(({ guarded }) => guarded);
  assert.deepEqual(areGuarded, [true, false]);
});

test("an account's details: its aliases, its use of the quota from the keeper, and the default quota", async () => {
  const details = await kit.result({ verb: "account_details", name: ANNA.toUpperCase() });
  const row = { name: ANNA, aliases: [INFO], aliasesTotal: 1, lastSignIn: null };
  assert.partialDeepStrictEqual(details, { ...row, usualQuotaBytes: 5_000, use: { usedBytes: 1_200, mails: 3 } });
  assert.deepEqual(kit.kept(), ["kick_account", "mailbox_use"]);
  kit.given.keeperUp = false;
  assert.equal((await kit.result({ verb: "account_details", name: ANNA })).use, null);
  const missing = await kit.ask({ verb: "account_details", name: "nobody@example.test" });
  assert.partialDeepStrictEqual(missing, { ok: false, isMissing: true });
});

test("lists aliases a page at a time, all or those with a text", async () => {
  await kit.result({ verb: "alias_add", address: "sales@example.test", targets: [BERT] });
  const page = await kit.result({ verb: "alias_list", ...ALL, limit: 1 });
  assert.deepEqual([page.items.length, page.next, page.total], [1, "info@example.test", 2]);
  assert.deepEqual((await kit.result({ verb: "alias_list", ...ALL, text: "anna" })).items, [INFO]);
});
