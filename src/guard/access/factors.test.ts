import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, PASSWORD } from "../../../test/kit/commands-kit.ts";
import { accountsOnMemory, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { ip, NOON } from "../../../test/kit/samples.ts";
import { codeOf } from "../../../test/kit/totp.ts";
import { outcomeOf, webGateOf } from "../../../test/kit/web-gate-kit.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { lookAtFactors, WRONG_CODES } from "./factors.ts";
import { codeAt, STEP_MS } from "./one-time-codes.ts";

const IP = ip("203.0.113.7");
const SESSION = "digest of a session";

const kit = webGateOf(import.meta.filename);
let recovery: readonly string[];
beforeEachOf(import.meta.filename, () => {
  recovery = setUp();
});

function setUp(): readonly string[] {
  const { factors } = kit.signIn;
  factors.begin(SESSION);
  const pending = factors.begin(SESSION);
  const ready = factors.ready(SESSION, codeOf(pending.secret, kit.clock.now()));
  assert.ok(typeof ready === "object", JSON.stringify(ready));
  const confirmed = factors.confirm(ready) ?? assert.fail();
  assert.equal(factors.confirm(ready), null, "once");
  // The code that confirmed the app is used up.
  kit.clock.advance(2 * STEP_MS);
  return confirmed;
}

const now = (): number => Math.floor(kit.clock.now() / STEP_MS);
const code = (off = 0): string => codeAt(kit.factors.totp()?.secret ?? assert.fail(), now() + off);

/** From a different network each time, so that none is banned for its guesses. */
let networks = 0;
async function open(given: string | undefined, { password = PASSWORD, known = null as string | null } = {}) {
  networks += 1;
  const from = ip(`198.51.${Math.floor(networks / 250)}.${(networks % 250) + 1}`);
  return outcomeOf(await kit.signIn.open({ ip: from, password, known, code: given }, "Firefox on Linux"));
}

test("the password alone asks for a code, and is neither a sign-in nor a failure", async () => {
  assert.equal(await open(undefined), "code_needed");
  assert.equal(kit.count("SECOND_FACTOR_ASKED"), 1, "but it is recorded");
  const signIns = () => [kit.count("LOGIN_SUCCEEDED"), kit.count("LOGIN_FAILED")];
  assert.deepEqual(signIns(), [0, 0]);
  assert.equal(await open(undefined, { password: "wrong" }), "wrong");
  assert.equal(await open(code()), "in");
  assert.deepEqual(signIns(), [1, 1]);
});

test("a right password without a code is recorded only for new browsers, twenty times a day", async () => {
  const first = await kit.opened({ code: code() });
  assert.equal(await open(undefined, { known: first.known }), "code_needed");
  assert.equal(await kit.signIn.prove({ ip: IP, password: PASSWORD }, first.digest), "code_needed");
  assert.equal(kit.count("SECOND_FACTOR_ASKED"), 0);
  for (let i = 0; i < 2 * WRONG_CODES; i++) await open(undefined);
  assert.equal(kit.count("SECOND_FACTOR_ASKED"), WRONG_CODES);
  kit.clock.advance(DAY_MS);
  await open(undefined);
  assert.equal(kit.count("SECOND_FACTOR_ASKED"), WRONG_CODES + 1);
});

test("a wrong password uses up no code, and the answer says only that it was wrong", async () => {
  const codes = [code(), recovery[0]];
  for (const given of codes) assert.equal(await open(given, { password: "wrong" }), "wrong");
  assert.equal(kit.count("SECOND_FACTOR_FAILED"), 0);
  for (const given of codes) assert.equal(await open(given), "in");
});

test("a code is used once, even across a restart of the guard", async () => {
  const used = code();
  assert.equal(await open(used), "in");
  assert.equal(await open(used), "wrong");
  assert.equal(await open(code(-1)), "wrong", "it uses up earlier ones too");
  kit.signIn = kit.verifying((hash, given) => Promise.resolve(hash === hashOf(given)));
  assert.equal(await open(used), "wrong");
  assert.equal(await open(` ${code(1).slice(0, 3)} ${code(1).slice(3)}\n`), "in", "as pasted");
});

test("two sign-ins with the same code at once open one session", async () => {
  const used = code();
  assert.deepEqual((await Promise.all([open(used), open(used)])).toSorted(), ["in", "wrong"]);
});

test("a recovery code signs in once, however it is typed, and is recorded", async () => {
  const [first = "", second = ""] = recovery;
  assert.equal(await open(first.toUpperCase().replaceAll("-", " ")), "in");
  assert.equal(await open(first), "wrong");
  assert.equal(await open(second), "in");
  assert.equal(recovery.length, 10);
  assert.equal(kit.factors.recoveryLeft(), 8);
  assert.equal(kit.count("RECOVERY_CODE_USED"), 2);
});

test("past twenty wrong codes a day no app code is checked, but recovery codes still are", async () => {
  const first = await kit.opened({ code: code() });
  kit.clock.advance(HOUR_MS);
  for (let i = 0; i < 2 * WRONG_CODES; i++) assert.equal(await open(`${900_000 + i}`), "wrong");
  assert.equal(kit.count("SECOND_FACTOR_FAILED"), 20, "unchecked codes are not reported");
  assert.equal(kit.count("LOGIN_FAILED"), 2 * WRONG_CODES);
  assert.equal(await open(code()), "wrong");
  assert.equal(await open(recovery[0]), "in", "the owner is not locked out");
  assert.equal(await open(code(), { known: first.known }), "in", "nor in a browser that signed in before");
  kit.clock.advance(DAY_MS);
  assert.equal(await open(code()), "in");
});

test("a new password resets the count of wrong codes", async () => {
  for (let i = 0; i < WRONG_CODES; i++) await open(`${900_000 + i}`);
  assert.equal(await open(code()), "wrong");
  kit.credentials.setAdminPassword(hashOf("another"));
  assert.equal(await open(code(), { password: "another" }), "in");
});

test("a wrong code counts against its address as a wrong password does", async () => {
  const attempt = (given: string, password = PASSWORD) =>
    kit.signIn.open({ ip: IP, password, known: null, code: given }, "x");
  // A repeated wrong password counts once, whatever code comes with it.
  for (let i = 0; i < 9; i++) assert.equal(await attempt(`${800_000 + i}`, "wrong"), "wrong");
  // More than four may be needed, because only 12 bits distinguish them, so two may count as equal.
  let tried = 0;
  while ((await attempt(`${900_000 + tried}`)) === "wrong") tried += 1;
  assert.ok(tried >= 4 && tried < 9, `${tried}`);
  assert.equal(await attempt(code()), "refused");
});

test("a proof needs a code too", async () => {
  const opened = await kit.opened({ code: code() });
  kit.clock.advance(HOUR_MS);
  const prove = (given?: string) => kit.signIn.prove({ ip: IP, password: PASSWORD, code: given }, opened.digest);
  const provedAt = () => kit.sessions.find(opened.digest, kit.clock.now(), true)?.provedAt;
  assert.equal(await prove(), "code_needed");
  assert.equal(await prove("123456"), "wrong");
  assert.notEqual(provedAt(), kit.clock.now());
  assert.equal(await prove(code()), "proved");
  assert.equal(provedAt(), kit.clock.now());
});

test("a code whose use cannot be recorded opens nothing", async () => {
  kit.factors.useStep = () => assert.fail("database or disk is full");
  await assert.rejects(open(code()), /disk is full/);
  assert.equal(kit.count("LOGIN_SUCCEEDED"), 0);
});

test("a sign-in that is too late, or whose password has changed since, uses up no code", async () => {
  const used = code();
  const during = (happens: () => void): void => {
    kit.signIn = kit.verifying((hash, given) => {
      happens();
      return Promise.resolve(hash === hashOf(given));
    });
  };
  during(() => kit.clock.advance(9_000));
  assert.equal(await open(used), "refused", "the web has given up");
  during(() => kit.credentials.setAdminPassword(hashOf("another")));
  assert.equal(await open(used), "wrong");
  assert.equal(kit.count("LOGIN_SUCCEEDED"), 0);
  assert.deepEqual(kit.sessions.list(null, kit.clock.now()), []);
  during(() => kit.clock.advance(8_999));
  assert.equal(await open(used, { password: "another" }), "in");
});

test("a setup needs its first code, from the same session and in time", () => {
  kit.factors.removeTotp();
  const { factors } = kit.signIn;
  assert.equal(factors.ready(SESSION, "123456"), "none");
  const { secret, uri } = factors.begin(SESSION);
  assert.match(secret, /^[A-Z2-7]{32}$/);
  assert.ok(uri.includes(secret) && uri.includes("mail.example.test"));
  const right = (): string => codeOf(secret, kit.clock.now());
  assert.equal(factors.ready("other digest", right()), "none");
  assert.equal(factors.ready(SESSION, "123456"), "wrong");
  kit.clock.advance(10 * MINUTE_MS - 1);
  assert.equal(typeof factors.ready(SESSION, right()), "object");
  kit.clock.advance(1);
  assert.equal(factors.ready(SESSION, right()), "none");
  assert.equal(kit.factors.totp(), null);
});

test("without an app any code is accepted", async () => {
  kit.factors.removeTotp();
  for (const given of [undefined, "123456"]) assert.equal(await open(given), "in");
});

/** The notices about the dashboard's sign-in. */
function noticed() {
  const notices = new NoticeBoard();
  const { credentials, factors } = accountsOnMemory();
  const raised = (): readonly string[] => {
    lookAtFactors({ notices, credentials, factors });
    return [...notices.raised.keys()];
  };
  return { credentials, factors, raised };
}

test("a dashboard without a password is reported until one is set", () => {
  const { credentials, raised } = noticed();
  assert.deepEqual(raised(), ["dashboard_password_unset"]);
  credentials.setAdminPassword("{X}new");
  assert.deepEqual(raised(), []);
});

test("three remaining recovery codes are reported, until there are new ones or no app", () => {
  const { credentials, factors, raised } = noticed();
  credentials.setAdminPassword("{X}new");
  const recovery = ["a", "b", "c", "d"];
  factors.setTotp({ secret: Buffer.alloc(20), lastStep: 0, at: NOON, recovery });
  assert.deepEqual(raised(), []);
  factors.useRecovery("a", NOON);
  assert.deepEqual(raised(), ["recovery_codes_few"]);
  factors.renewRecovery(recovery, NOON);
  assert.deepEqual(raised(), []);
  factors.renewRecovery([], NOON);
  assert.deepEqual(raised(), ["recovery_codes_few"]);
  factors.removeTotp();
  assert.deepEqual(raised(), []);
});
