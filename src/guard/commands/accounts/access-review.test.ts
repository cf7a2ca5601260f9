import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../../../test/kit/commands.ts";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import { isoTime } from "../../../core/time.ts";
import { digestOf } from "../../access/secrets.ts";

const ALICE = "alice@example.test";
const BERT = "bert@example.test";

const kit = commandsOf(import.meta.filename, ALICE, BERT);

test("lists who can read the mail of each account and where it is forwarded, and leaves no trace", async () => {
  await kit.ask({ verb: "app_password_add", name: ALICE, app: "phone" });
  await kit.ask({ verb: "alias_add", address: "info@example.test", targets: [ALICE] });
  await kit.ask({ verb: "forward_set", name: BERT, to: ["bert@else.example"], keep: true });
  await kit.ask({ verb: "account_suspend", name: BERT });
  const recorded = kit.types();
  const page = (limit: number, cursor: string | null, text: string | null = null) =>
    kit.ask({ verb: "access_review", text, limit, cursor });
  const account = { name: ALICE, suspended: false, networks: [], createdAt: isoTime(kit.clock.now()) };
  const readers = { addresses: [ALICE, "info@example.test"], appPasswords: ["phone"], lastSignIn: null };
  const alice = { ...account, ...readers, forwards: [{ to: ["alice@elsewhere.example"], by: ".dovecot.sieve" }] };
  assert.deepEqual(await page(1, null), { ok: true, result: { items: [alice], next: ALICE, total: 2 } });
  const forwards = [{ to: ["bert@else.example"], by: "account forward" }];
  const bert = { name: BERT, suspended: true, addresses: [BERT], appPasswords: [], forwards };
  assert.partialDeepStrictEqual(await page(1, ALICE), { result: { items: [bert], next: null, total: 2 } });
  assert.partialDeepStrictEqual(await page(9, null, "bert"), { result: { items: [{ name: BERT }], total: 1 } });
  assert.deepEqual(kit.types(), recorded);
  for (let i = 0; i < 101; i++) await kit.result({ verb: "alias_add", address: `a${i}@example.test`, targets: [BERT] });
  const { items } = await kit.result({ verb: "access_review", text: "bert", limit: 1, cursor: null });
  const { aliases, aliasesTotal } = await kit.result({ verb: "account_details", name: BERT });
  assert.deepEqual([items[0]?.addresses.length, aliases.length, aliasesTotal], [100, 100, 101]);
});

test("at most eight reviews wait, two of one caller, so that the keeper stays free for other commands", async () => {
  for (const name of "abcde")
    await kit.result({ ...COMMANDS.token_create, name, digest: digestOf(name), scopes: ["owner"] });
  const review = { verb: "access_review", text: null, limit: 1, cursor: null } as const;
  const asked = [..."aaabbccdde"].map((as) => kit.ask(review, "web", { as, ip: "203.0.113.9" }));
  assert.equal((await Promise.all(asked)).map(({ ok }) => (ok ? "+" : "-")).join(""), "++-++++++-");
});

test("without the keeper nothing is listed: a page without forwards would look as if there were none", async () => {
  kit.given.keeperUp = false;
  const reply = await kit.ask({ verb: "access_review", text: null, limit: 1, cursor: null });
  assert.partialDeepStrictEqual(reply, { ok: false, message: "no answer" });
});
