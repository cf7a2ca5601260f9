// Invariant: While the database cannot be written, sign-ins are decided from memory, and recipients of accounts are counted there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guess, mail } from "../../test/kit/engine-events.ts";
import { engineOnMemory } from "../../test/kit/engine-kit.ts";
import { ip, net, STRANGER } from "../../test/kit/samples.ts";
import type { Decision } from "../core/decide/decision.ts";
import type { LoginAttributes } from "../core/events/login.ts";
import { HOUR_MS } from "../core/time.ts";
import type { Engine } from "./engine.ts";

const HOME = ip("198.51.100.7");
const NAMED = { type: "RECIPIENT", blockListing: null, senderExists: null } as const;
const ALICE = "alice@example.test";

for (const step of ["begin", "append", "commit"] as const) {
  /** A server that can no longer record anything, after Alice has signed in at home and this has happened. */
  const full = async (happened: (engine: Engine) => Promise<unknown> = () => Promise.resolve()) => {
    const kit = engineOnMemory();
    await kit.engine.ask({ ...guess("right", HOME), type: "LOGIN_SUCCEEDED" });
    await happened(kit.engine);
    kit.store.failing = step;
    const tryOne = async (facts: LoginAttributes): Promise<Decision> => {
      kit.clock.advance(1_500);
      const asked = await kit.engine.ask({ ...facts, type: "LOGIN_ASKED" });
      if (asked.verdict !== "refuse") await kit.engine.ask({ ...facts, type: "LOGIN_FAILED" });
      return asked;
    };
    return { ...kit, tryOne };
  };

  test(`a database that fails at ${step}: an address may try five times in ten minutes, ten times a day`, async () => {
    const { engine, clock, tryOne } = await full();
    let heard = 0;
    for (let i = 0; i < 40; i++) {
      const { verdict, reason } = await tryOne(guess(`guess ${i}`));
      if (verdict !== "refuse") heard += 1;
      else assert.equal(reason, "login_failures");
      assert.equal(heard, Math.min(5, i + 1));
    }
    clock.advance(HOUR_MS);
    for (let i = 0; i < 20; i++) if ((await tryOne(guess(`later ${i}`))).verdict !== "refuse") heard += 1;
    assert.ok(heard <= 10, `${heard} were heard`);
    const alice = await engine.ask({ ...guess("right", HOME), type: "LOGIN_ASKED" });
    assert.equal(alice.verdict, "pass", "Alice can sign in");
    assert.equal((await engine.ask(mail())).verdict, "pass", "mail is accepted");
  });

  test(`a database that fails at ${step}: an account is guarded, and its owner can sign in`, async () => {
    const { engine, tryOne } = await full();
    let heard = 0;
    // From too few networks for spraying.
    for (let i = 0; i < 100; i++)
      if ((await tryOne(guess(`guess ${i}`, ip(`2001:db8:${i % 7}:${i}::1`)))).verdict !== "refuse") heard += 1;
    assert.equal(heard, 20);
    const away = guess("right", ip("203.0.113.99"));
    assert.equal((await engine.ask({ ...away, type: "LOGIN_ASKED" })).verdict, "pass");
    assert.equal((await engine.ask({ ...away, passwordHash: "wrong", type: "LOGIN_ASKED" })).verdict, "refuse");
  });

  test(`a database that fails at ${step}: a ban holds to its end, and no longer`, async () => {
    const ban = { type: "BAN_ASKED", prefix: net(STRANGER), durationMs: HOUR_MS, note: "", by: "root" } as const;
    const { engine, clock } = await full((before) => before.ask(ban));
    assert.equal((await engine.ask(connect())).reason, "banned");
    clock.advance(HOUR_MS);
    assert.equal((await engine.ask(connect())).verdict, "pass");
  });

  test(`a database that fails at ${step}: parallel guesses do not get past the limit`, async () => {
    const { engine } = await full((before) => before.ask(guess("recorded")));
    const asked = Array.from({ length: 60 }, (_, i) => engine.ask({ ...guess(`guess ${i}`), type: "LOGIN_ASKED" }));
    engine.commit();
    const heard = (await Promise.all(asked)).filter(({ verdict }) => verdict !== "refuse").length;
    assert.equal(heard, 4, "and the recorded one");
  });

  test(`a database that fails at ${step}: once it can be written again, only its contents count`, async () => {
    const { engine, clock, store, tryOne, db } = await full();
    for (let i = 0; i < 9; i++) await tryOne(guess(`guess ${i}`));
    store.failing = null;
    clock.advance(2_000);
    assert.equal((await engine.ask(guess("recorded"))).reason, "below_limit");
    assert.equal((await engine.ask({ ...guess("next"), type: "LOGIN_ASKED" })).verdict, "pass");
    assert.equal(db.prepare("SELECT count(*) AS n FROM event WHERE type = 'LOGIN_FAILED'").get()?.["n"], 1);
  });

  /** Lets Alice write mails. Returns the verdicts on the recipients and on DATA. */
  const writing = (kit: Awaited<ReturnType<typeof full>>) => {
    let mails = 0;
    return async (...to: readonly string[]): Promise<string> => {
      const about = { ...mail(HOME, ALICE), sender: ALICE, transaction: `a1.${++mails}` };
      const verdicts = [];
      for (const one of to) verdicts.push(await kit.engine.ask({ ...about, ...NAMED, recipient: one }));
      const recipient = to.length === 1 ? (to[0] ?? null) : null;
      verdicts.push(await kit.engine.ask({ ...about, recipient, recipientCount: to.length }));
      kit.clock.advance(61_000);
      return verdicts.map(({ verdict }) => verdict).join(" ");
    };
  };

  test(`a database that fails at ${step}: an account reaches no more strangers than usual, and nothing is held`, async () => {
    const kit = await full();
    const write = writing(kit);
    // The guard notices the failure only at the first commit.
    await kit.engine.ask(connect());
    kit.engine.commit();
    let reached = 0;
    for (let i = 0; i < 30; i++) if ((await write(`victim${i}@sender.test`)) === "pass pass") reached += 1;
    assert.equal(reached, 20, "the place is new to Alice");
    assert.equal(await write("late@sender.test"), "pass defer");
    assert.equal(await write("bob@example.test"), "pass pass", "a colleague");
    kit.clock.advance(HOUR_MS);
    assert.equal(await write("next@sender.test"), "pass pass");
    assert.deepEqual(kit.db.prepare("SELECT * FROM account_hold").all(), []);
  });

  test(`a database that fails at ${step}: a mail to too many strangers is refused on each connection`, async () => {
    const { engine } = await full();
    for (const session of ["first", "second", "third"]) {
      const about = { ...mail(HOME, ALICE), sender: ALICE, session };
      for (let i = 0; i < 21; i++) await engine.ask({ ...about, ...NAMED, recipient: `victim${i}@sender.test` });
      const { verdict } = await engine.ask({ ...about, recipient: null, recipientCount: 21 });
      assert.equal(verdict, "defer", session);
    }
  });

  test(`a database that fails at ${step}: known recipients are still known, within the recipients of an hour`, async () => {
    const friends = Array.from({ length: 60 }, (_, i) => `friend${i}@sender.test`);
    const changes = friends.map((address) => ({ type: "CORRESPOND", address, account: ALICE }) as const);
    const kit = await full((before) => before.audit(null, changes));
    await kit.engine.ask(connect());
    kit.engine.commit();
    const write = writing(kit);
    const all = Array.from({ length: 61 }, () => "pass").join(" ");
    assert.deepEqual([await write(...friends), await write(...friends)], [all, all]);
    const third = await write(...friends);
    assert.equal(third.split(" ").filter((verdict) => verdict === "pass").length, 30);
    kit.store.failing = null;
    kit.clock.advance(2_000);
    await kit.engine.ask(guess("to be written"));
    assert.equal(await write(...friends), all, "once it can be written again, only its contents count");
  });
}
