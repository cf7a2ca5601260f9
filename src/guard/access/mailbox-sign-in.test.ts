import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, PASSWORD } from "../../../test/kit/commands-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { patience } from "../../../test/kit/patience.ts";
import { accountName, ip } from "../../../test/kit/samples.ts";
import { settled } from "../../../test/kit/until.ts";
import { outcomeOf, webGateOf } from "../../../test/kit/web-gate-kit.ts";
import { HOUR_MS, instant } from "../../core/time.ts";
import { WEB_LIMITS } from "../commands/web/web-bounds.ts";
import { LIMITS } from "../limits.ts";
import type { MailboxSignIn } from "./mailbox-sign-in.ts";

const ANNA = accountName("anna@example.test");
const BERT = accountName("bert@example.test");
const HERS = "her own words";
const HOME = "203.0.113.7";

const kit = webGateOf(import.meta.filename);
beforeEachOf(import.meta.filename, () => {
  kit.accounts.add(ANNA, hashOf(HERS), kit.clock.now());
});

type From = Readonly<{ password?: string; from?: string; account?: typeof ANNA; signIn?: MailboxSignIn }>;
async function attempt({ password = HERS, from = HOME, account = ANNA, signIn = kit.mailboxSignIn }: From = {}) {
  const opened = await signIn.open({ account, password, ip: ip(from) }, "Firefox on Linux");
  return outcomeOf(opened);
}

/** A sign-in that verifies the right password at once, and wrong ones once `end` is called. */
function slowly() {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const signIn = kit.verifyingMailboxes(async (_, password) => password === HERS || promise);
  return { signIn, end: () => resolve(false) };
}

/** Wrong passwords from as many networks as may wait. */
const crowdAt = (signIn: MailboxSignIn) =>
  Array.from({ length: LIMITS.mailboxLogins }, (_, i) => attempt({ password: "guess", from: `198.51.${i}.1`, signIn }));

test("the mailbox password opens a session for that mailbox, and none for the administrator", async () => {
  const opened = await kit.mailboxSignIn.open({ account: ANNA, password: HERS, ip: ip(HOME) }, "Firefox on Linux");
  assert.ok(typeof opened === "object");
  assert.equal(opened.known, null);
  assert.equal(kit.sessions.find(opened.digest, kit.clock.now(), true)?.account, ANNA);
  assert.equal(await attempt({ password: PASSWORD }), "wrong");
  assert.equal(await attempt({ account: BERT }), "wrong", "the account does not exist");
  assert.deepEqual([kit.count("LOGIN_SUCCEEDED"), kit.count("LOGIN_FAILED")], [1, 2]);
  assert.deepEqual(kit.named().toSorted(), [ANNA, BERT]);
  const administrator = { ip: ip(HOME), password: HERS, known: null };
  assert.equal(await kit.signIn.open(administrator, "x"), "wrong", "nor does it open the administrator's");
});

test("wrong passwords ban the address as by mail, and a repeated one counts once", async () => {
  for (let n = 0; n < 20; n++) assert.equal(await attempt({ password: "stale" }), "wrong");
  assert.equal(kit.count("BAN"), 0);
  for (let n = 0; n < 4; n++) assert.equal(await attempt({ password: `${n}` }), "wrong");
  assert.equal(kit.count("BAN"), 1);
  assert.equal(await attempt(), "refused");
  assert.equal(await attempt({ from: "203.0.113.8" }), "in", "the user is not locked out in other places");
});

test("a sign-in makes the address known to the account, as by mail", async () => {
  const known = () => kit.accountHistory.signIns(ANNA, instant(0)).map(({ prefix }) => prefix);
  assert.deepEqual(known(), []);
  await attempt({ password: "wrong" });
  assert.deepEqual(known(), []);
  await attempt();
  assert.deepEqual(known(), [`${HOME}/32`]);
});

test("an account that is suspended, or whose password just changed, cannot sign in", async () => {
  kit.accounts.setSuspended(ANNA, true);
  assert.equal(await attempt(), "wrong");
  kit.accounts.setSuspended(ANNA, false);
  assert.equal(await attempt(), "in");
  const signIn = kit.verifyingMailboxes(() => {
    kit.accounts.setPassword(ANNA, hashOf("another"));
    return Promise.resolve(true);
  });
  assert.equal(await attempt({ signIn }), "wrong");
  assert.deepEqual(kit.sessions.list(ANNA, kit.clock.now()), [], "and the earlier session has ended");
});

test("the decoy is verified in place of a costly hash from an import", async () => {
  const verified: string[] = [];
  const signIn = kit.verifyingMailboxes((hash) => Promise.resolve(verified.push(hash) > 0), "decoy");
  kit.accounts.setPassword(ANNA, hashOf(HERS).replace("m=19456,t=2", "m=262144,t=4"));
  assert.equal(await attempt({ signIn }), "wrong");
  assert.deepEqual(verified, ["decoy"]);
});

test("a password that is refused unchecked takes as long as a wrong one, but not from a banned address", async () => {
  for (let n = 0; n < 20; n++) await attempt({ password: `guess ${n}`, from: `192.0.${n}.1` });
  const verified: string[] = [];
  const signIn = kit.verifyingMailboxes((hash) => Promise.resolve(verified.push(hash) === 0), "decoy");
  const guess = (n: number) => attempt({ password: `other ${n}`, from: "198.51.100.1", signIn });
  assert.equal(await guess(0), "unchecked");
  assert.deepEqual(verified, ["decoy"]);
  for (let n = 1; n < 5; n++) await guess(n);
  assert.equal(await guess(5), "refused");
  assert.equal(verified.length, 5);
});

test("a proof is judged like a sign-in, and counts for its session", async () => {
  const opened = await kit.mailboxSignIn.open({ account: ANNA, password: HERS, ip: ip(HOME) }, "x");
  assert.ok(typeof opened === "object");
  kit.clock.advance(HOUR_MS);
  const prove = (password: string) => kit.mailboxSignIn.prove({ account: ANNA, password, ip: ip(HOME) }, opened.digest);
  const isFresh = () => kit.sessions.find(opened.digest, kit.clock.now(), true)?.provedAt === kit.clock.now();
  assert.equal(await prove("wrong"), "wrong");
  assert.equal(isFresh(), false);
  assert.equal(await prove(HERS), "proved");
  assert.equal(isFresh(), true);
  const steal = (password: string) =>
    kit.mailboxSignIn.prove({ account: ANNA, password, ip: ip("198.51.100.9") }, opened.digest);
  for (let n = 0; n < 5; n++) assert.equal(await steal(`${n}`), "wrong");
  assert.equal(kit.count("BAN"), 1);
  assert.equal(await steal(HERS), "refused");
});

test("one proof at a time is verified for all sessions of an account, and one waits", {
  timeout: patience(5_000),
}, async () => {
  const turns: (() => void)[] = [];
  const verify = (): Promise<boolean> => new Promise((resolve) => turns.push(() => resolve(true)));
  const signIn = kit.verifyingMailboxes(verify);
  const goOn = async (): Promise<void> => {
    while (turns.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(turns.length, 1);
    turns.pop()?.();
  };
  const prove = (digest: string) => signIn.prove({ account: ANNA, password: HERS, ip: ip(HOME) }, digest);
  const [first, second] = [prove("one"), prove("two")];
  assert.equal(await prove("three"), "refused");
  await goOn();
  assert.equal(await first, "proved");
  await goOn();
  assert.equal(await second, "proved");
});

test("proofs share the limit of sign-ins from an address", async () => {
  const prove = () => kit.mailboxSignIn.prove({ account: ANNA, password: HERS, ip: ip(HOME) }, "one");
  for (let n = 0; n < WEB_LIMITS.signInsEach; n++) assert.equal(await prove(), "proved");
  assert.equal(await prove(), "refused");
  assert.equal(await attempt(), "refused");
  assert.equal(await attempt({ from: "203.0.113.8" }), "in");
});

test("guesses from many networks do not fill the administrator's queues", async () => {
  const { signIn, end } = slowly();
  const crowd = crowdAt(signIn);
  assert.equal(await attempt({ from: "192.0.2.1", signIn }), "refused");
  await kit.opened({ ip: ip("192.0.2.1") });
  end();
  assert.deepEqual(new Set(await Promise.all(crowd)), new Set(["wrong"]));
});

test("bans of addresses whose passwords are refused unchecked use up the web's share too", async () => {
  const guess = (n: number, from: string): Promise<string> => attempt({ password: `guess ${n}`, from });
  for (let n = 0; n < 20; n++) await guess(n, `192.0.${n}.1`);
  for (let i = 0; i <= WEB_LIMITS.bannedSignIns; i++)
    for (let n = 0; n < 5; n++) assert.equal(await guess(n, `198.51.${i}.1`), "unchecked");
  assert.equal(kit.count("BAN"), WEB_LIMITS.bannedSignIns);
});

test("bans for wrong passwords use up the web's share", async () => {
  for (let host = 0; host <= WEB_LIMITS.bannedSignIns; host++) {
    const account = accountName(`user${host}@example.test`);
    for (let n = 0; n < 5; n++) await attempt({ account, password: `${n}`, from: `198.51.${host}.1` });
  }
  assert.equal(kit.count("BAN"), WEB_LIMITS.bannedSignIns);
});

test("a crowd of strangers does not keep a user out at a place that the account knows", async () => {
  assert.equal(await attempt(), "in");
  const { signIn, end } = slowly();
  const crowd = crowdAt(signIn);
  await settled();
  assert.equal(await attempt({ from: "192.0.2.1", signIn }), "refused", "the places of strangers are taken");
  assert.equal(await attempt({ signIn }), "in");
  end();
  await Promise.all(crowd);
});

test("neither a place that many accounts know nor an account that knows many places keeps the others out", async () => {
  const users = Array.from({ length: LIMITS.mailboxLogins }, (_, i) => accountName(`user${i}@example.test`));
  for (const account of users) kit.accounts.add(account, hashOf(HERS), kit.clock.now());
  const [mallory = BERT] = users;
  const places = users.map((_, i) => `198.51.${i}.1`);
  const both = [...users.map((account) => ({ account })), ...places.map((from) => ({ account: mallory, from }))];
  for (const one of both) assert.equal(await attempt(one), "in");
  assert.equal(await attempt({ from: "192.0.2.1" }), "in");
  const { signIn, end } = slowly();
  const crowd = both.map((one) => attempt({ ...one, password: "guess", signIn }));
  assert.equal(await attempt({ from: "192.0.2.1", signIn }), "in");
  end();
  // As known: two of the address and one more of the account. As strangers: one from each of 16 places, and one more of the address waits.
  const served = 3 + 16 + 1;
  assert.equal((await Promise.all(crowd)).filter((outcome) => outcome !== "refused").length, served);
});

test("a thief at two places that the account knows does not keep its owner out of the others", async () => {
  const places = ["198.51.100.1", "198.51.101.1"];
  for (const from of [HOME, ...places]) assert.equal(await attempt({ from }), "in");
  const { signIn, end } = slowly();
  const guesses = places.flatMap((from) => [1, 2].map(() => attempt({ password: "stale", from, signIn })));
  assert.equal(await attempt({ signIn }), "in");
  end();
  assert.deepEqual(await Promise.all(guesses), ["wrong", "wrong", "wrong", "wrong"]);
});

test("filling the queue of one place that an account knows leaves its other places free", async () => {
  for (const from of [HOME, "198.51.100.1"]) assert.equal(await attempt({ from }), "in");
  const { signIn, end } = slowly();
  const guesses = Array.from({ length: 3 }, () => attempt({ password: "guess", from: "198.51.100.1", signIn }));
  assert.equal(await guesses[2], "refused");
  assert.equal(await attempt({ signIn }), "in");
  end();
  assert.deepEqual(await Promise.all(guesses.slice(0, 2)), ["wrong", "wrong"]);
});

test("a sign-in with the old password gets no session if a new one is recorded with it, in either order", async () => {
  for (let later = 0; later <= 10; later++) {
    kit.accounts.setPassword(ANNA, hashOf(HERS));
    let changed: Promise<void> = Promise.resolve();
    const signIn = kit.verifyingMailboxes(() => {
      changed = kit.engine.audit({ type: "PASSWORD_CHANGED", subject: ANNA, by: "root" }).then(async () => {
        for (let i = 0; i < later; i++) await Promise.resolve();
        kit.accounts.setPassword(ANNA, hashOf("another"));
      });
      return Promise.resolve(true);
    });
    await attempt({ signIn });
    await changed;
    assert.deepEqual(kit.sessions.list(ANNA, kit.clock.now()), []);
  }
});

test("if the owner allows no users, none can sign in", async () => {
  kit.shutMailboxes();
  assert.equal(await attempt(), "refused");
  assert.deepEqual([kit.count("LOGIN_FAILED"), kit.count("LOGIN_REFUSED")], [0, 0]);
});
