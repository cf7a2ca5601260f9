import assert from "node:assert/strict";
import { test } from "node:test";
import { type Authenticator, authenticator } from "../../../../test/kit/authenticator.ts";
import { COMMANDS } from "../../../../test/kit/commands.ts";
import { dashboardOf, hashOf, PASSWORD, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { TOKEN } from "../../../../test/kit/fake-guard.ts";
import { codeOf } from "../../../../test/kit/totp.ts";
import type { Command, ParsedCommandOf } from "../../../admin/declare/control.ts";
import { PROOF_MS } from "../../../core/access/session.ts";
import { STEP_MS } from "../../access/one-time-codes.ts";
import { WEB_LIMITS } from "../web/web-bounds.ts";

const IP = "203.0.113.7";
const ORIGIN = "https://mail.example.test";
const FROM = { ip: IP, device: "Firefox on Linux", known: null } as const;

type As = Readonly<{ as: string; ip: string }>;

const kit = dashboardOf(import.meta.filename);

const result = <C extends Command>(command: C, as?: As) => kit.result(command, "web", as);

async function refusal(command: Command, as?: As): Promise<string> {
  const reply = await kit.ask(command, "web", as);
  assert.ok(!reply.ok);
  return reply.denied ?? reply.message;
}

const withCode = (code?: string) =>
  ({ verb: "sign_in", password: PASSWORD, ...FROM, ...(code === undefined ? {} : { code }) }) as const;
const tryIn = (code?: string) => result(withCode(code));

async function signIn(command: ParsedCommandOf<"sign_in" | "sign_in_passkey"> = withCode()): Promise<As> {
  const opened = await result(command);
  assert.ok(opened.outcome === "in");
  return { as: opened.secret, ip: IP };
}

async function setUp(as: As) {
  const { secret } = await result({ verb: "totp_begin" }, as);
  const confirmed = await result({ verb: "totp_confirm", code: codeOf(secret, kit.clock.now()) }, as);
  kit.clock.advance(2 * STEP_MS);
  return { secret, codes: confirmed.recoveryCodes };
}

async function challenge(): Promise<string> {
  const given = await result({ verb: "passkey_challenge", ip: IP });
  assert.ok(given.challenge !== null);
  return given.challenge;
}

async function add(as: As, name: string, counter = 0): Promise<Authenticator> {
  const device = authenticator();
  const asked = await result({ verb: "passkey_begin" }, as);
  const made = device.make({ challenge: asked.challenge, origin: ORIGIN }, { counter });
  assert.deepEqual(await result({ verb: "passkey_add", name, ...made }, as), { name: name.trim() });
  return device;
}

async function used(device: Authenticator, counter = 0) {
  return device.sign({ challenge: await challenge(), origin: ORIGIN }, { counter });
}

const byPasskey = async (device: Authenticator, counter = 0) =>
  ({ verb: "sign_in_passkey", ...(await used(device, counter)), ...FROM }) as const;

async function list(as: As) {
  const listed = await result({ verb: "factor_list" }, as);
  return listed.passkeys;
}

test("an app is set up, listed, given new codes and removed, each recorded", async () => {
  const as = await signIn();
  assert.deepEqual(await result({ verb: "factor_list" }, as), { totp: false, recoveryLeft: 0, passkeys: [] });
  const { secret, codes } = await setUp(as);
  assert.deepEqual(await result({ verb: "factor_list" }, as), { totp: true, recoveryLeft: 10, passkeys: [] });
  assert.deepEqual(await tryIn(), { outcome: "code_needed" });
  await signIn(withCode(codes[0]));
  assert.deepEqual(await result({ verb: "factor_list" }, as), { totp: true, recoveryLeft: 9, passkeys: [] });
  const renewed = await result({ verb: "recovery_renew" }, as);
  assert.ok(renewed.recoveryCodes.length === 10);
  assert.deepEqual(await tryIn(codes[1]), { outcome: "wrong" });
  await signIn(withCode(codeOf(secret, kit.clock.now())));
  await result({ verb: "totp_remove" }, as);
  assert.deepEqual(await result({ verb: "factor_list" }, as), { totp: false, recoveryLeft: 0, passkeys: [] });
  await signIn();
  const web = `by web:admin via ${IP}`;
  assert.deepEqual(kit.recorded(/FACTOR|RECOVERY/), [
    `FACTOR_ADDED authenticator app ${web}`,
    `SECOND_FACTOR_ASKED authenticator app ${web}`,
    `RECOVERY_CODE_USED 9 left ${web}`,
    `RECOVERY_CODES_MADE 10 codes ${web}`,
    `SECOND_FACTOR_FAILED authenticator app ${web}`,
    `FACTOR_REMOVED authenticator app ${web}`,
  ]);
  assert.ok(!kit.details().some((one) => String(one).includes(secret) || String(one).includes(codes[0] ?? "")));
});

test("a setup is confirmed only while the proof is fresh, and not by a token, which may only list factors", async () => {
  const as = await signIn();
  const { secret } = await result({ verb: "totp_begin" }, as);
  kit.clock.advance(PROOF_MS);
  const confirm = () => ({ verb: "totp_confirm", code: codeOf(secret, kit.clock.now()) }) as const;
  assert.match(await refusal(confirm(), as), /No setup is waiting/);
  await kit.ask({ ...COMMANDS.token_create, scopes: ["owner"] });
  const token = { as: TOKEN, ip: IP };
  assert.equal(await refusal(confirm(), token), "unauthorized");
  assert.match(await refusal({ ...COMMANDS.prove_passkey }, token), /token cannot/);
  assert.deepEqual(await result({ verb: "factor_list" }, token), { totp: false, recoveryLeft: 0, passkeys: [] });
});

test("a wrong first code sets up nothing, and a missing factor cannot be removed or renewed", async () => {
  const as = await signIn();
  await result({ verb: "totp_begin" }, as);
  assert.match(await kit.said({ verb: "totp_confirm", code: "12345" }, "web", as), /not the app's current code/);
  for (const verb of ["totp_remove", "recovery_renew"] as const)
    assert.match(await refusal({ verb }, as), /No authenticator app is set up/, verb);
  assert.equal((await tryIn()).outcome, "in");
});

test("a change that cannot be recorded is not made", async () => {
  const as = await signIn();
  await add(as, "Laptop");
  const [laptop] = await list(as);
  const asked = await result({ verb: "passkey_begin" }, as);
  const made = authenticator().make({ challenge: asked.challenge, origin: ORIGIN }, { counter: 0 });
  const { secret } = await result({ verb: "totp_begin" }, as);
  const refused = async (command: Command, origin: "web" | "root" = "web"): Promise<void> => {
    // After a refused write, the engine waits before it tries the database again.
    kit.clock.advance(2_000);
    assert.match(refusalOf(await kit.ask(command, origin, as)), /nothing was changed/);
  };
  kit.fillDisk();
  await refused({ verb: "passkey_add", name: "Phone", ...made });
  await refused({ verb: "passkey_remove", id: laptop?.id ?? "" });
  await refused({ verb: "totp_confirm", code: codeOf(secret, kit.clock.now()) });
  assert.equal(kit.factors.totp(), null);
  kit.factors.setTotp({ secret: Buffer.alloc(20, 7), lastStep: 0, at: kit.clock.now(), recovery: ["a"] });
  await refused({ verb: "recovery_renew" });
  await refused({ verb: "totp_remove" });
  await refused({ verb: "factors_reset" }, "root");
  assert.deepEqual(await result({ verb: "factor_list" }, as), { totp: true, recoveryLeft: 1, passkeys: [laptop] });
  kit.factors.removeTotp();
  kit.db.exec("DROP TRIGGER full");
  kit.clock.advance(2_000);
  const confirmed = await result({ verb: "totp_confirm", code: codeOf(secret, kit.clock.now()) }, as);
  assert.equal(confirmed.recoveryCodes.length, 10, "the same setup, once there is room");
});

test("a passkey is added, signs in without a password, gives a proof, and is removed; all of it is recorded", async () => {
  const as = await signIn();
  const device = await add(as, " Laptop ");
  const [listed] = await list(as);
  assert.partialDeepStrictEqual(listed, { name: "Laptop", lastUsed: null });
  const own = await signIn(await byPasskey(device));
  assert.notEqual((await list(own))[0]?.lastUsed, null);
  kit.clock.advance(PROOF_MS);
  assert.equal(await refusal(COMMANDS.token_create, own), "proof_needed");
  assert.equal((await result({ verb: "prove_passkey", ...(await used(device)) }, own)).outcome, "proved");
  await result(COMMANDS.token_create, own);
  await result({ verb: "passkey_remove", id: listed?.id ?? "" }, own);
  assert.deepEqual(await list(own), [], "the last one may be removed");
  assert.deepEqual(await result(await byPasskey(device)), { outcome: "wrong" });
  await signIn();
  const web = `by web:admin via ${IP}`;
  assert.deepEqual(kit.recorded(/^PASSKEY/), [`PASSKEY_ADDED Laptop ${web}`, `PASSKEY_REMOVED Laptop ${web}`]);
  assert.equal(kit.recorded(/^LOGIN_SUCCEEDED dashboard login=<admin> with passkey Laptop$/).length, 2);
  assert.deepEqual(kit.recorded(/^LOGIN_FAILED/), ["LOGIN_FAILED dashboard login=<admin>"]);
});

test("a challenge for a new passkey belongs to one session, and the passkey names its server", async () => {
  const [one, other] = [await signIn(), await signIn()];
  const device = authenticator();
  const asked = await result({ verb: "passkey_begin" }, one);
  assert.partialDeepStrictEqual(asked, { name: "admin (mail.example.test)", known: [] });
  const made = device.make({ challenge: asked.challenge, origin: ORIGIN });
  assert.match(await refusal({ verb: "passkey_add", name: "x", ...made }, other), /another session/);
  assert.match(await refusal({ verb: "passkey_add", name: " ", ...made }, one), /"name" is empty/);
  await result({ verb: "passkey_add", name: "x", ...made }, one);
  const next = await result({ verb: "passkey_begin" }, other);
  assert.ok(next.user === asked.user);
  assert.deepEqual(next.known, [made.id], "it is not created twice");
  assert.match(await refusal({ verb: "passkey_remove", id: "AAAA" }, one), /no such passkey/);
});

test("a copy of a passkey is refused and recorded", async () => {
  const device = await add(await signIn(), "Key", 7);
  await signIn(await byPasskey(device, 8));
  assert.deepEqual(await result(await byPasskey(device, 8)), { outcome: "wrong" });
  assert.deepEqual(kit.recorded(/^PASSKEY_REFUSED/), [`PASSKEY_REFUSED Key by web:unnamed via ${IP}`]);
  await signIn(await byPasskey(device, 9));
});

test("wrong passkeys count like wrong passwords, and only against their network", async () => {
  const device = await add(await signIn(), "Laptop");
  const guess = (i: number) => ({ ...COMMANDS.sign_in_passkey, id: `AAA${i}`, ip: "198.51.100.9" });
  const outcomes: unknown[] = [];
  for (let i = 0; i < 6; i++) outcomes.push(await result(guess(i)));
  assert.deepEqual(outcomes.at(0), { outcome: "wrong" });
  assert.deepEqual(outcomes.at(-1), { outcome: "refused" });
  await signIn(await byPasskey(device));
});

test("an address gets as many challenges as it may try sign-ins, which delays no sign-in, no proof and no other address", async () => {
  const as = await signIn();
  for (let i = 0; i < WEB_LIMITS.signInsEach; i++) await challenge();
  assert.deepEqual(await result({ verb: "passkey_challenge", ip: IP }), { challenge: null });
  assert.partialDeepStrictEqual(await result({ verb: "prove", password: PASSWORD }, as), { outcome: "proved" });
  await signIn();
  assert.notEqual((await result({ verb: "passkey_challenge", ip: "203.0.113.9" })).challenge, null);
  assert.match(await refusal({ verb: "passkey_challenge", ip: "nowhere" }), /No address/);
});

test("a new password ends the sessions but keeps the factors, until root resets them; a passkey replaces password and code", async () => {
  const as = await signIn();
  const device = await add(as, "Laptop");
  await setUp(as);
  await kit.ask({ verb: "admin_set_hash", hash: hashOf(PASSWORD) });
  assert.deepEqual(await tryIn(), { outcome: "code_needed" });
  const own = await signIn(await byPasskey(device));
  assert.equal((await result({ verb: "prove_passkey", ...(await used(device)) }, own)).outcome, "proved");
  assert.equal((await list(own)).length, 1);
  const reset = await kit.result({ verb: "factors_reset" });
  assert.deepEqual(reset, { factors: 2, ended: 1, passkeyNames: ["Laptop"] }, "it ends what they opened");
  assert.deepEqual(kit.recorded(/^PASSKEY_REMOVED/), ["PASSKEY_REMOVED Laptop by root"]);
  assert.ok(kit.details().includes("every second factor by root"));
  assert.deepEqual(await result(await byPasskey(device)), { outcome: "wrong" });
  const again = await signIn();
  assert.deepEqual(await kit.result({ verb: "factors_reset" }), { factors: 0, ended: 1, passkeyNames: [] });
  assert.equal(await refusal({ verb: "caller", isUse: true }, again), "unauthorized");
});
