import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Authenticator } from "../../../../test/kit/authenticator.ts";
import { COMMANDS } from "../../../../test/kit/commands.ts";
import { dashboardOf, hashOf, PASSWORD } from "../../../../test/kit/commands-kit.ts";
import { TOKEN } from "../../../../test/kit/fake-guard.ts";
import type { Command, ParsedCommandOf } from "../../../admin/declare/control.ts";
import { PROOF_MS } from "../../../core/access/session.ts";
import { WEB_LIMITS } from "../web/web-bounds.ts";

const IP = "203.0.113.7";
const ORIGIN = "https://mail.example.test";
const FROM = { ip: IP, device: "Firefox on Linux", known: null } as const;

type As = Readonly<{ as: string; ip: string }>;

const kit = dashboardOf(import.meta.filename);

describe("passkeys of the dashboard, by command", () => {
  const result = <C extends Command>(command: C, as?: As) => kit.result(command, "web", as);

  async function refusal(command: Command, as?: As): Promise<string> {
    const reply = await kit.ask(command, "web", as);
    assert.ok(!reply.ok);
    return reply.denied ?? reply.message;
  }

  type SignIn = ParsedCommandOf<"sign_in" | "sign_in_passkey">;
  async function signIn(command: SignIn = { verb: "sign_in", password: PASSWORD, ...FROM }): Promise<As> {
    const opened = await result(command);
    assert.ok(opened.outcome === "in");
    return { as: opened.secret, ip: IP };
  }

  async function challenge(): Promise<string> {
    const given = await result({ verb: "passkey_challenge", ip: IP });
    assert.ok(given.challenge !== null);
    return given.challenge;
  }

  async function add(as: As, name: string, counter = 0): Promise<Authenticator> {
    const device = new Authenticator();
    const asked = await result({ verb: "passkey_begin" }, as);
    const made = device.make({ challenge: asked.challenge, origin: ORIGIN }, { counter });
    assert.deepEqual(await result({ verb: "passkey_add", name, ...made }, as), { name: name.trim() });
    return device;
  }

  async function used(device: Authenticator, counter = 0) {
    return device.sign({ challenge: await challenge(), origin: ORIGIN }, { counter });
  }

  test("is added, signs in without a password, gives a proof, and is removed; all of it is recorded", async () => {
    const as = await signIn();
    const device = await add(as, " Laptop ");
    const [listed] = await list(as);
    assert.partialDeepStrictEqual(listed, { name: "Laptop", lastUsed: null });
    const own = await signIn({ verb: "sign_in_passkey", ...(await used(device)), ...FROM });
    assert.notEqual((await list(own))[0]?.lastUsed, null);
    kit.clock.advance(PROOF_MS);
    assert.equal(await refusal(COMMANDS.token_create, own), "proof_needed");
    assert.equal((await result({ verb: "prove_passkey", ...(await used(device)) }, own)).outcome, "proved");
    await result(COMMANDS.token_create, own);
    await result({ verb: "passkey_remove", id: listed?.id ?? "" }, own);
    assert.deepEqual(await list(own), [], "the last one may be removed");
    const again = await result({ verb: "sign_in_passkey", ...(await used(device)), ...FROM });
    assert.deepEqual(again, { outcome: "wrong" });
    await signIn();
    const web = `by web:admin via ${IP}`;
    assert.deepEqual(kit.recorded(/^PASSKEY/), [`PASSKEY_ADDED Laptop ${web}`, `PASSKEY_REMOVED Laptop ${web}`]);
    assert.equal(kit.recorded(/^LOGIN_SUCCEEDED dashboard login=<admin> with passkey Laptop$/).length, 2);
    assert.deepEqual(kit.recorded(/^LOGIN_FAILED/), ["LOGIN_FAILED dashboard login=<admin>"]);
  });

  test("a change that cannot be recorded is not made", async () => {
    const as = await signIn();
    await add(as, "Laptop");
    const [laptop] = await list(as);
    const asked = await result({ verb: "passkey_begin" }, as);
    const made = new Authenticator().make({ challenge: asked.challenge, origin: ORIGIN }, { counter: 0 });
    kit.fillDisk();
    assert.match(await refusal({ verb: "passkey_add", name: "Phone", ...made }, as), /nothing was changed/);
    assert.match(await refusal({ verb: "passkey_remove", id: laptop?.id ?? "" }, as), /nothing was changed/);
    assert.deepEqual(await list(as), [laptop]);
  });

  async function list(as: As) {
    const listed = await result({ verb: "factor_list" }, as);
    return listed.passkeys;
  }

  test("a stolen session without a fresh proof cannot change who may sign in, and a token never can", async () => {
    const as = await signIn();
    const device = await add(as, "Laptop");
    kit.clock.advance(PROOF_MS);
    assert.equal(await refusal({ verb: "passkey_begin" }, as), "proof_needed");
    await result({ verb: "prove", password: PASSWORD }, as);
    await result({ ...COMMANDS.token_create, scopes: ["read", "ban", "allow", "admin"] }, as);
    const token = { as: TOKEN, ip: IP };
    assert.match(await refusal({ verb: "prove_passkey", ...(await used(device)) }, token), /token cannot/);
    assert.equal((await list(as)).length, 1);
  });

  test("a challenge for a new passkey belongs to one session, and the passkey names its server", async () => {
    const [one, other] = [await signIn(), await signIn()];
    const device = new Authenticator();
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

  test("a copy is refused and recorded", async () => {
    const device = await add(await signIn(), "Key", 7);
    await signIn({ verb: "sign_in_passkey", ...(await used(device, 8)), ...FROM });
    const copy = await result({ verb: "sign_in_passkey", ...(await used(device, 8)), ...FROM });
    assert.deepEqual(copy, { outcome: "wrong" });
    assert.deepEqual(kit.recorded(/^PASSKEY_REFUSED/), [`PASSKEY_REFUSED Key by web:unnamed via ${IP}`]);
    await signIn({ verb: "sign_in_passkey", ...(await used(device, 9)), ...FROM });
  });

  test("wrong passkeys count like wrong passwords, and only against their network", async () => {
    const device = await add(await signIn(), "Laptop");
    const guess = (i: number) => ({ ...COMMANDS.sign_in_passkey, id: `AAA${i}`, ip: "198.51.100.9" });
    const outcomes: unknown[] = [];
    for (let i = 0; i < 6; i++) outcomes.push(await result(guess(i)));
    assert.deepEqual(outcomes.at(0), { outcome: "wrong" });
    assert.deepEqual(outcomes.at(-1), { outcome: "refused" });
    await signIn({ verb: "sign_in_passkey", ...(await used(device)), ...FROM });
  });

  test("an address gets as many challenges as it may try, which delays no sign-in, no proof and no other address", async () => {
    const as = await signIn();
    for (let i = 0; i < WEB_LIMITS.signInsEach; i++) await challenge();
    assert.deepEqual(await result({ verb: "passkey_challenge", ip: IP }), { challenge: null });
    assert.partialDeepStrictEqual(await result({ verb: "prove", password: PASSWORD }, as), { outcome: "proved" });
    await signIn();
    assert.notEqual((await result({ verb: "passkey_challenge", ip: "203.0.113.9" })).challenge, null);
    assert.match(await refusal({ verb: "passkey_challenge", ip: "nowhere" }), /No address/);
  });

  test("a new password ends sessions and keeps the passkeys, until root resets them", async () => {
    const device = await add(await signIn(), "Laptop");
    await kit.ask({ verb: "admin_set_hash", hash: hashOf("another") });
    const as = await signIn({ verb: "sign_in_passkey", ...(await used(device)), ...FROM });
    assert.equal((await list(as)).length, 1);
    const reset = await kit.result({ verb: "factors_reset" });
    assert.deepEqual(reset, { factors: 1, ended: 1, passkeyNames: ["Laptop"] }, "it ends what they opened");
    assert.deepEqual(kit.recorded(/^PASSKEY_REMOVED/), ["PASSKEY_REMOVED Laptop by root"]);
    const gone = await result({ verb: "sign_in_passkey", ...(await used(device)), ...FROM });
    assert.deepEqual(gone, { outcome: "wrong" });
  });

  test("replaces password and code if an authenticator app is set up", async () => {
    const as = await signIn();
    const device = await add(as, "Laptop");
    kit.factors.setTotp({ secret: Buffer.alloc(20, 7), lastStep: 0, at: kit.clock.now(), recovery: [] });
    const half = await result({ verb: "sign_in", password: PASSWORD, ...FROM });
    assert.deepEqual(half, { outcome: "code_needed" });
    await signIn({ verb: "sign_in_passkey", ...(await used(device)), ...FROM });
    assert.equal((await result({ verb: "prove_passkey", ...(await used(device)) }, as)).outcome, "proved");
  });
});
