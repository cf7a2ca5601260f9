import assert from "node:assert/strict";
import { test } from "node:test";
import { type Authenticator, authenticator } from "../../../test/kit/authenticator.ts";
import { hashOf, PASSWORD } from "../../../test/kit/commands-kit.ts";
import { ip } from "../../../test/kit/samples.ts";
import { settled, until } from "../../../test/kit/until.ts";
import { outcomeOf, webGateOf } from "../../../test/kit/web-gate-kit.ts";
import type { Event } from "../../core/events/event.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { WEB_LIMITS } from "../commands/web/web-bounds.ts";
import { LIMITS } from "../limits.ts";
import { codeAt, STEP_MS } from "./one-time-codes.ts";
import { createSignIn } from "./sign-in.ts";

/** The maximum number of networks that may wait. */
const CROWD = Array.from({ length: LIMITS.dashboardLogins }, (_, i) => i + 1);

const kit = webGateOf(import.meta.filename);

/** A sign-in that verifies the owner's password at once, and wrong ones once `end` is called. */
function crowded() {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const signIn = kit.verifying((_, given) => (given === PASSWORD ? Promise.resolve(true) : promise));
  return { signIn, end: () => resolve(false) };
}

async function attempt(from: string, password = PASSWORD, known: string | null = null, signIn = kit.signIn) {
  return outcomeOf(await signIn.open({ ip: ip(from), password, known }, "Firefox on Linux"));
}

test("only the right password opens a session", async () => {
  const opened = await kit.opened();
  assert.match(`${opened.secret} ${opened.known}`, /^[\w-]{43} [0-9a-f]{16}\.[\w-]{43}$/);
  assert.notEqual(kit.sessions.find(opened.digest, kit.clock.now(), true), null);
  assert.equal(kit.sessions.find(opened.secret, kit.clock.now(), true), null, "the secret itself is not stored");
  const places = kit.sessions.list(null, kit.clock.now()).map((place) => `${place.id} ${place.device} ${place.ip}`);
  assert.match(places.join("\n"), /^[0-9a-f]{12} Firefox on Linux 203\.0\.113\.7$/m);
  assert.equal(await attempt("203.0.113.7", "wrong"), "wrong");
  assert.deepEqual([kit.count("LOGIN_SUCCEEDED"), kit.count("LOGIN_FAILED")], [1, 1]);
  assert.deepEqual(kit.named(), ["admin"]);
});

test("the guard records 12 bits of a guessed password, and none before it is checked", async (t) => {
  const { mock } = t.mock.method(kit.engine, "ask");
  assert.equal(await attempt("203.0.113.7", "wrong"), "wrong");
  const recorded = mock.calls.map(({ arguments: [event] }) => ("passwordHash" in event ? event.passwordHash : null));
  assert.deepEqual(recorded, ["", "1de"]);
});

test("after too many wrong passwords, the next is not even verified", async () => {
  let verified = 0;
  const signIn = kit.verifying(() => Promise.resolve((verified += 1) < 0));
  for (let n = 0; n < 5; n++) assert.equal(await attempt("203.0.113.7", `${n}`, null, signIn), "wrong");
  assert.equal(await attempt("203.0.113.7", PASSWORD, null, signIn), "refused");
  assert.equal(verified, 5);
  assert.equal(await attempt("203.0.113.8"), "in", "the owner is not locked out in other places");
});

test("without a password set no sign-in succeeds, not even with the decoy's", async () => {
  const decoy = "a decoy";
  const none = { adminPasswordHash: () => null };
  const passwords = { verify: (hash: string) => Promise.resolve(hash === decoy), decoy };
  const signIn = createSignIn({ ...kit, credentials: none, passwords }, kit.gate.bounds);
  assert.equal(await attempt("203.0.113.7", PASSWORD, null, signIn), "wrong");
});

test("a session that cannot be stored is reported with its reason, and does not count as a wrong password", async (t) => {
  const signIn = kit.verifying(() => Promise.resolve(true));
  const full = t.mock.method(kit.sessions, "open", () => assert.fail("database or disk is full"));
  const says = /the password is right, but the session cannot be stored: database or disk is full/;
  await assert.rejects(attempt("203.0.113.7", PASSWORD, null, signIn), says);
  assert.equal(kit.count("LOGIN_FAILED"), 0);
  full.mock.restore();
  assert.equal(await attempt("203.0.113.7"), "in", "once there is room");
});

test("a proof is judged like a sign-in, and counts only for that session", async () => {
  const opened = await kit.opened();
  kit.clock.advance(HOUR_MS);
  const prove = (password: string) => kit.signIn.prove({ ip: ip("203.0.113.7"), password }, opened.digest);
  const isFresh = () => kit.sessions.find(opened.digest, kit.clock.now(), true)?.provedAt === kit.clock.now();
  assert.equal(await prove("wrong"), "wrong");
  assert.equal(isFresh(), false);
  assert.equal(await prove(PASSWORD), "proved");
  assert.equal(isFresh(), true);
  for (let n = 0; n < 10; n++) await prove(`${n}`);
  assert.ok(kit.count("BAN") > 0 || kit.count("LOGIN_REFUSED") > 0, "guessing from a stolen session is stopped too");
});

test("made-up sign-ins ban a bounded number of addresses; then they are refused without a ban", async () => {
  for (let host = 0; host < 2 * WEB_LIMITS.bannedSignIns; host++) {
    kit.clock.advance(1_000);
    for (let n = 0; n < 5; n++) assert.equal(await attempt(`198.51.${host}.1`, `${n}`), "wrong");
  }
  assert.equal(kit.count("BAN"), WEB_LIMITS.bannedSignIns);
  assert.equal(kit.count("LOGIN_FAILED"), 10 * WEB_LIMITS.bannedSignIns, "each is recorded");
  assert.deepEqual(kit.refused(), [], "strangers can cause this without a break-in");
  const last = `198.51.${2 * WEB_LIMITS.bannedSignIns - 1}.1`;
  assert.equal(await attempt(last), "refused", "as if it were banned");
  assert.equal(await attempt("203.0.113.1"), "in", "others are not");
  kit.clock.advance(10 * MINUTE_MS);
  assert.equal(await attempt(last), "in");
});

test("past the limit of bans, no network is banned for guesses from its addresses either", async () => {
  // At least five of eight guesses differ in their 12 bits.
  for (let i = 0; i < WEB_LIMITS.bannedSignIns * 8; i++) await attempt(`198.51.${Math.floor(i / 8)}.1`, `${i}`);
  for (let i = 0; i < 250; i++) await attempt(`203.0.113.${i}`, `x${i}`);
  assert.equal(kit.count("BAN"), WEB_LIMITS.bannedSignIns);
});

test("an address that tries endlessly uses up only its own share", async () => {
  for (let i = 0; i < WEB_LIMITS.signInsEach; i++) assert.equal(await attempt("2001:db8::1"), "in");
  for (let i = 0; i < 50; i++) assert.equal(await attempt(`2001:db8::${(i % 9) + 1}`), "refused");
  assert.equal(await attempt("203.0.113.7"), "in");
  assert.deepEqual(kit.refused(), []);
  kit.clock.advance(MINUTE_MS);
  assert.equal(await attempt("2001:db8::1"), "in");
});

test("a network that has used up its share can still give a proof, and a browser that signed in before can sign in", async () => {
  const opened = await kit.opened();
  for (let i = 0; i < WEB_LIMITS.signInsEach; i++) await attempt("203.0.113.7");
  assert.equal(await attempt("203.0.113.7"), "refused");
  assert.equal(await attempt("203.0.113.7", PASSWORD, opened.known), "in");
  const own = { ip: ip("203.0.113.7"), password: PASSWORD };
  assert.equal(await kit.signIn.prove(own, opened.digest), "proved");
});

test("guesses from a different network each time make the owner wait, but lock no one out", async () => {
  const turns: (() => void)[] = [];
  const verify = (_: string, password: string): Promise<boolean> =>
    new Promise((resolve) => turns.push(() => resolve(password === PASSWORD)));
  const signIn = kit.verifying(verify);
  const guesses = Array.from({ length: 8 }, (_, i) => attempt(`2001:db8:a${i}::1`, "guess", null, signIn));
  const owner = attempt("203.0.113.9", PASSWORD, null, signIn);
  for (let turn = 0; turn < 9; turn++) {
    await until(() => turns.length > 0);
    turns.shift()?.();
    if (turn < 8) guesses.push(attempt(`2001:db8:b${turn}::1`, "guess", null, signIn));
  }
  assert.equal(await owner, "in");
  for (; turns.length > 0; await new Promise<void>((resolve) => setImmediate(resolve))) turns.shift()?.();
  assert.ok(!(await Promise.all(guesses)).includes("refused"));
});

test("one network tries one password at a time, and all networks together a few", async () => {
  const { promise: verified, resolve: verify } = Promise.withResolvers<boolean>();
  const from = (text: string) => attempt(text, PASSWORD, null, signIn);
  const signIn = kit.verifying(() => verified);
  const running = ["203.0.113.1", "2001:db8::1", "203.0.113.1", "2001:db8::2"].map((text) => from(text));
  assert.equal(await from("203.0.113.1"), "refused", "one already waits");
  assert.equal(await from("2001:db8::3"), "refused", "the same /64");
  for (let i = 2; i < 32; i++) running.push(from(`198.51.${i}.1`));
  assert.equal(await from("203.0.113.99"), "refused", "too many in total");
  verify(true);
  assert.deepEqual([...new Set(await Promise.all(running))], ["in"]);
  assert.equal(await from("203.0.113.1"), "in");
});

test("one network does not take every place, however many addresses it has", async () => {
  const { signIn, end } = crowded();
  const crowds = [(n: number) => `2001:db8:1:${n}::1`, (n: number) => `127.${n}.0.1`].map((addressOf) =>
    CROWD.map((n) => attempt(addressOf(n), "guess", null, signIn)),
  );
  for (const other of ["203.0.113.9", "2001:db8::1"]) assert.equal(await attempt(other, PASSWORD, null, signIn), "in");
  end();
  const tried = await Promise.all(
    crowds.map(async (crowd) => (await Promise.all(crowd)).filter((outcome) => outcome === "wrong").length),
  );
  assert.deepEqual(tried, [4, 2], "this machine counts as one address");
});

test("the waiting attempt is next, before a client that tries again at once", async () => {
  const gates: ((right: boolean) => void)[] = [];
  const verify = (): Promise<boolean> => new Promise((resolve) => gates.push(resolve));
  const signIn = kit.verifying(verify);
  const from = (password: string) => attempt("203.0.113.1", password, null, signIn);
  const [guess, owner] = [from("guess"), from(PASSWORD)];
  await until(() => gates.length === 1);
  gates[0]?.(false);
  assert.equal(await guess, "wrong");
  const again = from("again");
  await until(() => gates.length === 2);
  gates[1]?.(true);
  assert.equal(await owner, "in");
  await until(() => gates.length === 3);
  gates[2]?.(false);
  assert.equal(await again, "wrong");
});

test("a browser that has signed in before gets past a crowd, until the password is changed", async () => {
  const [{ known }, { known: another }] = [await kit.opened(), await kit.opened()];
  const { signIn, end } = crowded();
  // Another of the owner's browsers does not take one of the crowd's places.
  const guesses = [attempt("198.51.100.1", "wrong", another, signIn)];
  for (const n of [...CROWD, 1]) guesses.push(attempt(`198.51.${n}.1`, "wrong", null, signIn));
  for (const from of ["198.51.1.1", "198.51.99.1"]) {
    assert.equal(await attempt(from, PASSWORD, null, signIn), "refused");
    assert.equal(await attempt(from, PASSWORD, `${known}x`, signIn), "refused", "a forged one");
    assert.equal(await attempt(from, PASSWORD, known, signIn), "in");
  }
  kit.credentials.setAdminPassword(hashOf("another"));
  assert.equal(await attempt("203.0.113.99", PASSWORD, known, signIn), "refused");
  end();
  for (const guess of guesses) assert.equal(await guess, "wrong");
});

test("one browser's stolen cookie does not keep other browsers out", async () => {
  const [{ known: stolen }, { known: own }] = [await kit.opened(), await kit.opened()];
  assert.equal((await kit.opened({ known: own })).known, own, "a browser keeps its own");
  const { signIn, end } = crowded();
  const guesses = [1, 2].map((n) => attempt(`198.51.100.${n}`, "wrong", stolen, signIn));
  assert.equal(await attempt("198.51.100.3", PASSWORD, stolen, signIn), "refused");
  assert.equal(await attempt("198.51.100.3", PASSWORD, own, signIn), "in");
  end();
  assert.deepEqual(await Promise.all(guesses), ["wrong", "wrong"]);
});

const OWN = { ip: ip("203.0.113.7"), known: null } as const;

const origin = "https://mail.example.test";
const signed = (device: Authenticator) => device.sign({ challenge: kit.keys.challenge(), origin });

function added(): Authenticator {
  const device = authenticator();
  const made = kit.keys.checkMade(device.make({ challenge: kit.keys.challengeToMake("s"), origin }), "s");
  assert.ok(made.ok);
  assert.ok(kit.passkeys.add({ ...made.passkey, name: "Laptop", at: kit.clock.now() }).ok);
  return device;
}

test("a factor that is removed during a sign-in opens nothing", async (t) => {
  const device = added();
  assert.equal(typeof (await kit.signIn.open({ ...OWN, passkey: signed(device) }, "x")), "object");
  const ask = kit.engine.ask.bind(kit.engine);
  t.mock.method(kit.engine, "ask", async (event: Event) => {
    const decision = await ask(event);
    if (event.type === "LOGIN_SUCCEEDED") kit.factors.reset();
    return decision;
  });
  assert.equal(await kit.signIn.open({ ...OWN, passkey: signed(device) }, "x"), "wrong");
  const secret = Buffer.from("12345678901234567890");
  const at = kit.clock.now();
  kit.factors.setTotp({ secret, lastStep: 0, at, recovery: [] });
  const code = codeAt(secret, Math.floor(at / STEP_MS));
  assert.equal(await kit.signIn.open({ ...OWN, password: PASSWORD, code }, "x"), "wrong");
  assert.equal(kit.count("LOGIN_SUCCEEDED"), 3);
  assert.deepEqual(kit.sessions.list(null, kit.clock.now()), []);
});

test("a sign-in gets no session if a reset of the factors is recorded with it, in either order", async (t) => {
  const ask = kit.engine.ask.bind(kit.engine);
  const removed = { type: "FACTOR_REMOVED", subject: "every second factor", by: "root" } as const;
  let later = 0;
  let reset: Promise<void> = Promise.resolve();
  t.mock.method(kit.engine, "ask", (event: Event) => {
    const asked = ask(event);
    if (event.type === "LOGIN_SUCCEEDED")
      reset = kit.engine.audit(removed).then(async () => {
        for (let i = 0; i < later; i++) await Promise.resolve();
        kit.factors.reset();
      });
    return asked;
  });
  for (; later <= 10; later++) {
    const device = added();
    await kit.signIn.open({ ...OWN, passkey: signed(device) }, "x");
    await reset;
    assert.deepEqual(kit.sessions.list(null, kit.clock.now()), [], `${later}`);
  }
});

test("guesses from behind the owner's address lock out neither the owner's browser nor a passkey", async (t) => {
  const { known, digest } = await kit.opened();
  const device = added();
  const at = { ip: OWN.ip, service: "imap", withoutBan: false } as const;
  await kit.engine.ask({ ...at, type: "LOGIN_SUCCEEDED", login: "anna@example.test", passwordHash: "a" });
  for (let n = 0; n < 15; n++)
    await kit.engine.ask({ ...at, type: "LOGIN_FAILED", login: `no-${n}@example.test`, passwordHash: `${n}` });
  assert.equal(await attempt("203.0.113.7"), "refused", "a new browser");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const tries = [
    kit.signIn.open({ ...OWN, password: PASSWORD, known }, "x"),
    kit.signIn.open({ ...OWN, passkey: signed(device) }, "x"),
    kit.signIn.prove({ ip: OWN.ip, password: PASSWORD }, digest),
  ];
  await until(() => kit.count("LOGIN_REFUSED") === 4);
  await settled();
  t.mock.timers.tick(5_000);
  assert.deepEqual((await Promise.all(tries)).map(outcomeOf), ["in", "in", "proved"]);
});

test("the owner's browser does not ban itself for guesses that a session's use excused", async (t) => {
  const { known } = await kit.opened();
  const at = { ip: OWN.ip, service: "dashboard", login: "admin", withoutBan: "bans_used_up" } as const;
  for (let n = 0; n < 100; n++) await kit.engine.ask({ ...at, type: "LOGIN_FAILED", passwordHash: `${n}` });
  kit.clock.advance(HOUR_MS);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = kit.count("LOGIN_REFUSED");
  const owner = kit.signIn.open({ ...OWN, password: PASSWORD, known }, "x");
  await until(() => kit.count("LOGIN_REFUSED") > asked);
  await settled();
  t.mock.timers.tick(5_000);
  assert.equal(outcomeOf(await owner), "in");
  assert.equal(kit.count("BAN"), 0);
});

test("wrong passkeys wait their turn, and repeating an unknown one is stopped", async () => {
  const device = authenticator();
  const start = performance.now();
  const many = [1, 2, 3, 4].map((n) =>
    kit.signIn.open({ ip: ip(`198.51.${n}.1`), known: null, passkey: signed(device) }, "x"),
  );
  assert.deepEqual(await Promise.all(many), ["wrong", "wrong", "wrong", "wrong"]);
  assert.ok(performance.now() - start > 150, "one after the other");
  const outcomes: unknown[] = [];
  for (let i = 0; i < 12; i++) outcomes.push(await kit.signIn.open({ ...OWN, passkey: signed(device) }, "x"));
  assert.equal(outcomes.at(-1), "refused");
});
