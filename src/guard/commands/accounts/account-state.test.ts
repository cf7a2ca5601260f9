import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOnMemory, HASH } from "../../../../test/kit/commands-kit.ts";
import { guess } from "../../../../test/kit/engine-events.ts";
import { engineOnMemory, TEST_POLICY } from "../../../../test/kit/engine-kit.ts";
import { ip, net } from "../../../../test/kit/samples.ts";
import type { Change } from "../../../core/decide/decision.ts";
import { HOUR_MS, isoTime } from "../../../core/time.ts";
import { accountState } from "./account-state.ts";

const ANNA = "anna@example.test";

test("an account's state combines its row and what the guard knows; null for a missing account", async () => {
  const kit = commandsOnMemory();
  const stateOf = async (name: string): Promise<unknown> => (await kit.result({ verb: "account_state", name })).state;
  assert.equal(await stateOf(ANNA), null);
  assert.equal(await stateOf("no address"), null);
  assert.ok((await kit.ask({ verb: "account_create_hashed", name: ANNA, hash: HASH })).ok);
  const row = { name: ANNA, suspended: false, origin: "command", networks: [], quotaBytes: null };
  const known = { guarded: null, held: null, known: [] };
  assert.partialDeepStrictEqual(await stateOf("Anna@Example.test"), { ...row, ...known });
  await kit.engine.ask({ ...guess("right", ip("203.0.113.9")), login: ANNA, type: "LOGIN_SUCCEEDED" });
  assert.ok((await kit.ask({ verb: "account_suspend", name: ANNA })).ok);
  assert.partialDeepStrictEqual(await stateOf(ANNA), { suspended: true, known: ["203.0.113.9/32"] });
  kit.clock.advance(TEST_POLICY.accounts.knownForMs + 1);
  assert.partialDeepStrictEqual(await stateOf(ANNA), { known: [] });
});

function fresh() {
  const { engine, clock, accountHistory, heldMail } = engineOnMemory();
  const apply = (...changes: readonly Change[]) => engine.audit(null, changes);
  const state = (account = ANNA) => accountState({ engine, accountHistory, heldMail }, account, clock.now());
  return { apply, clock, state };
}

function tried(i: number): Change {
  const network = net(`198.51.${i}.0/24`);
  return { type: "GUESS", account: ANNA, network, passwordHash: `wrong ${i}`, isStale: false };
}

test("an account is guarded once it has the limit's number of different wrong passwords, until they are old", async () => {
  const { apply, clock, state } = fresh();
  await apply(...Array.from({ length: 19 }, (_, i) => tried(i)));
  assert.equal(state().guarded, null);
  await apply(tried(19), tried(20));
  assert.deepEqual(state().guarded, { guesses: 20, windowMs: HOUR_MS });
  assert.equal(state("bert@example.test").guarded, null);
  clock.advance(2 * HOUR_MS);
  assert.equal(state().guarded, null);
});

test("the state says whether the account's mail is held, and why", async () => {
  const { apply, clock, state } = fresh();
  const at = isoTime(clock.now());
  const evidence = { count: 21, limit: 20, windowMs: HOUR_MS, key: "limits.sending.strangers" };
  await apply({ type: "HOLD_ACCOUNT", account: ANNA, prefix: net("203.0.113.66"), ip: ip("203.0.113.66"), evidence });
  assert.partialDeepStrictEqual(state().held, { count: 21, at });
  assert.equal(state("bert@example.test").held, null);
  await apply({ type: "END_HOLD", account: ANNA });
  assert.equal(state().held, null);
});
