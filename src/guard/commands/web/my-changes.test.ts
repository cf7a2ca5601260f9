import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, HASH, hashOf, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { beforeEachOf } from "../../../../test/kit/hooks.ts";
import { accountName } from "../../../../test/kit/samples.ts";
import type { Command } from "../../../admin/declare/control.ts";

const ANNA = accountName("owner@example.test");
const BERT = accountName("bert@example.test");
const AS = { as: "5e".repeat(32), ip: "203.0.113.9" };
const OTHER = { ...AS, as: "6e".repeat(32) };
const HIS = { ...AS, as: "7e".repeat(32) };
const NEW = { verb: "my_password", password: "quite new words" } as const;
const ACTOR = `mailbox:${ANNA} via 203.0.113.9`;

const kit = commandsOf(import.meta.filename, ANNA, BERT);

beforeEachOf(import.meta.filename, () => {
  kit.signIn(AS, ANNA);
  kit.signIn(OTHER, ANNA);
  kit.signIn(HIS, BERT);
});

const mine = <C extends Command>(command: C, as = AS) => kit.ask(command, "web", as);
const sessionsOf = (account: typeof ANNA) => kit.sessions.list(account, kit.clock.now()).map(({ id }) => id);

test("a new password ends every session but the user's own, including those of mail programs, and is recorded", async () => {
  assert.deepEqual(await mine(NEW), { ok: true, result: { done: true } });
  assert.deepEqual([sessionsOf(ANNA), sessionsOf(BERT)], [["5e5e5e5e5e5e"], ["7e7e7e7e7e7e"]]);
  assert.deepEqual(kit.asked.at(-1), { verb: "kick_account", account: ANNA });
  assert.deepEqual(kit.passwordHashesOf(ANNA), ["0abc"]);
  assert.match(String(kit.details().at(-1)), new RegExp(`${ANNA} by ${ACTOR}`));
  const signIn = { verb: "sign_in_mailbox", ip: "203.0.113.9", account: ANNA, device: "x" } as const;
  const outcome = async (password: string) => (await kit.result({ ...signIn, password }, "web")).outcome;
  assert.equal(await outcome("quite new words"), "in");
  assert.equal(await outcome("quite other words"), "wrong");
  assert.notEqual(hashOf("quite new words"), HASH);
});

test("a password that is too simple, or that the guard may not set, changes nothing", async () => {
  const refusal = (password: string) => kit.said({ verb: "my_password", password }, "web", AS);
  assert.match(await refusal("short"), /^usage .*too short/);
  assert.match(await refusal("owner and more"), /^usage .*contains the name/);
  kit.given.keyOfEach = true;
  assert.match(refusalOf(await mine(NEW)), /^Only the administrator can set your new password/);
  assert.equal(sessionsOf(ANNA).length, 2);
});

test("the password of an account with keys is set only on the server, even after mailboxes.encryption has changed", async () => {
  const keys = [{ id: "a", publicKey: "b", locked: "c", recoverable: "d" }];
  assert.ok((await kit.ask({ verb: "account_set_hash", name: ANNA, hash: HASH, keys })).ok);
  assert.match(refusalOf(await mine(NEW)), /^Only the administrator can set your new password/);
  assert.equal(kit.active.storedHash(ANNA), HASH);
  assert.equal((await kit.result({ verb: "account_details", name: ANNA })).passwordsOnServer, true);
});

const THE_OWNERS = hashOf("what the owner gave");
for (const [act, verbs, hash] of [
  ["set a different one", ["account_set_hash"], THE_OWNERS],
  ["suspended the account", ["account_suspend"], null],
  ["suspended and resumed the account", ["account_suspend", "account_resume"], HASH],
] as const)
  test(`a password that was being hashed while the owner ${act} is not set`, async () => {
    kit.given.whileHashing = async () => {
      for (const verb of verbs) {
        const given = verb === "account_set_hash" ? { verb, hash: THE_OWNERS } : { verb };
        assert.ok((await kit.ask({ ...given, name: ANNA })).ok);
      }
    };
    assert.partialDeepStrictEqual(await mine(NEW), { ok: false, denied: "unauthorized" });
    assert.equal(kit.active.storedHash(ANNA), hash);
    assert.deepEqual(sessionsOf(ANNA), []);
    assert.ok(!kit.details().join().includes(ACTOR), "nothing is on record");
  });

test("a password that was being hashed does not replace one that the owner set, even if the session continues", async () => {
  kit.given.whileHashing = async () => {
    await kit.ask({ verb: "account_set_hash", name: ANNA, hash: THE_OWNERS });
    kit.signIn(AS, ANNA);
  };
  assert.partialDeepStrictEqual(await mine(NEW), { ok: false, denied: "unauthorized" });
  assert.equal(kit.active.storedHash(ANNA), THE_OWNERS);
});

test("without a record no new password is set, and no session ends", async () => {
  kit.fillDisk();
  assert.match(refusalOf(await mine(NEW)), /so nothing was changed/);
  assert.equal(kit.active.storedHash(ANNA), HASH);
  assert.equal(sessionsOf(ANNA).length, 2);
});

test("lists the user's sessions, and ends all but the current one, but no other user's", async () => {
  const { items } = await kit.result({ verb: "my_sessions" }, "web", AS);
  const shown = items.map(({ id, isOwn }) => `${id} ${isOwn}`);
  assert.deepEqual(shown.toSorted(), ["5e5e5e5e5e5e true", "6e6e6e6e6e6e false"]);
  assert.deepEqual(await mine({ verb: "my_sessions_end" }), { ok: true, result: { ended: 1 } });
  assert.deepEqual([sessionsOf(ANNA), sessionsOf(BERT)], [["5e5e5e5e5e5e"], ["7e7e7e7e7e7e"]]);
  const rows = kit.rows();
  assert.deepEqual(await mine({ verb: "my_sessions_end" }), { ok: true, result: { ended: 0 } });
  assert.equal(kit.rows(), rows, "nothing was done, so nothing was recorded");
});

test("users allow senders only for their own mailbox, with a written domain, and a bounded number", async () => {
  const add = (sender: string, as = AS) =>
    mine({ verb: "spam_allow_add", account: as === HIS ? BERT : ANNA, sender }, as);
  const friend = { account: ANNA, sender: "*@friend.example" };
  assert.deepEqual(await add(friend.sender), { ok: true, result: friend });
  assert.ok((await add("news@else.example", HIS)).ok);
  const listed = await kit.result({ verb: "my_senders" }, "web", AS);
  assert.equal(listed.items.map(({ sender }) => sender).join(), "*@friend.example");
  assert.ok(!(await add("*@*.com")).ok, "a pattern for all of .com");
  for (let n = 1; n < 50; n++) assert.ok((await add(`*@friend${n}.example`)).ok);
  assert.match(refusalOf(await add("*@onemore.example")), /which is the maximum/);
  const removed = await mine({ verb: "spam_allow_remove", account: ANNA, sender: "news@else.example" });
  assert.ok(!removed.ok, "it is on another user's list");
  assert.ok((await mine({ verb: "spam_allow_remove", ...friend })).ok);
});

test("users pause greylisting for their own address, and resume it", async () => {
  const paused = await mine({ verb: "greylist_pause", recipient: ANNA, for: "30m" });
  const until = new Date(kit.clock.now() + 1_800_000).toISOString();
  assert.deepEqual(paused, { ok: true, result: { target: ANNA, until, by: ACTOR } });
  const reported = await mine({ verb: "my_mailbox" });
  assert.ok(reported.ok && reported.result.greylistPausedUntil === until);
  const resume = { verb: "greylist_resume", recipient: ANNA } as const;
  assert.deepEqual(await mine(resume), { ok: true, result: { target: ANNA } });
  assert.ok(!(await mine(resume)).ok);
});
