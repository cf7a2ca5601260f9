import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COMMANDS } from "../../../../test/kit/commands.ts";
import { dashboardOf, hashOf, PASSWORD, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { TOKEN } from "../../../../test/kit/fake-guard.ts";
import { codeOf } from "../../../../test/kit/totp.ts";
import type { Command } from "../../../admin/declare/control.ts";
import { PROOF_MS } from "../../../core/access/session.ts";
import { STEP_MS } from "../../access/one-time-codes.ts";

const IP = "203.0.113.7";

const kit = dashboardOf(import.meta.filename);

describe("second factors, by command", () => {
  const signIn = (code?: string) =>
    kit.result({ ...COMMANDS.sign_in, password: PASSWORD, ...(code === undefined ? {} : { code }) }, "web");

  async function session(code?: string) {
    const opened = await signIn(code);
    assert.ok(opened.outcome === "in");
    return { as: opened.secret, ip: IP };
  }

  type As = Readonly<{ as: string; ip: string }>;
  const result = <C extends Command>(command: C, as: As) => kit.result(command, "web", as);

  async function setUp(as: As) {
    const { secret } = await result({ verb: "totp_begin" }, as);
    const confirmed = await result({ verb: "totp_confirm", code: codeOf(secret, kit.clock.now()) }, as);
    kit.clock.advance(2 * STEP_MS);
    return { secret, codes: confirmed.recoveryCodes };
  }

  test("an app is set up, listed, given new codes and removed, each recorded", async () => {
    const as = await session();
    assert.deepEqual(await result({ verb: "factor_list" }, as), { totp: false, recoveryLeft: 0, passkeys: [] });
    const { secret, codes } = await setUp(as);
    assert.deepEqual(await result({ verb: "factor_list" }, as), { totp: true, recoveryLeft: 10, passkeys: [] });
    assert.deepEqual(await signIn(), { outcome: "code_needed" });
    await session(codes[0]);
    assert.deepEqual(await result({ verb: "factor_list" }, as), { totp: true, recoveryLeft: 9, passkeys: [] });
    const renewed = await result({ verb: "recovery_renew" }, as);
    assert.ok(renewed.recoveryCodes.length === 10);
    assert.deepEqual(await signIn(codes[1]), { outcome: "wrong" });
    await session(codeOf(secret, kit.clock.now()));
    await result({ verb: "totp_remove" }, as);
    assert.deepEqual(await result({ verb: "factor_list" }, as), { totp: false, recoveryLeft: 0, passkeys: [] });
    await session();
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

  test("a setup is confirmed while the proof is fresh, and by no token, which may only look", async () => {
    const as = await session();
    const begun = await result({ verb: "totp_begin" }, as);
    kit.clock.advance(PROOF_MS);
    const late = { verb: "totp_confirm", code: codeOf(begun.secret, kit.clock.now()) } as const;
    assert.match(refusalOf(await kit.ask(late, "web", as)), /No setup waits/);
    await kit.ask({ ...COMMANDS.token_create, scopes: ["owner"] });
    const token = { as: TOKEN, ip: IP };
    assert.ok(!(await kit.ask({ verb: "totp_confirm", code: "123456" }, "web", token)).ok);
    assert.deepEqual(await result({ verb: "factor_list" }, token), { totp: false, recoveryLeft: 0, passkeys: [] });
  });

  test("the password does not prove anything once an app is set up", async () => {
    const as = await session();
    const { secret } = await setUp(as);
    kit.clock.advance(PROOF_MS);
    assert.equal((await result({ verb: "prove", password: PASSWORD }, as)).outcome, "code_needed");
    assert.ok(!(await kit.ask({ verb: "totp_remove" }, "web", as)).ok);
    await result({ verb: "prove", password: PASSWORD, code: codeOf(secret, kit.clock.now()) }, as);
    await result({ verb: "totp_remove" }, as);
  });

  test("a wrong first code sets up nothing, and a missing factor cannot be removed or renewed", async () => {
    const as = await session();
    await result({ verb: "totp_begin" }, as);
    assert.match(await kit.said({ verb: "totp_confirm", code: "12345" }, "web", as), /not the app's current code/);
    for (const verb of ["totp_remove", "recovery_renew"] as const)
      assert.ok(!(await kit.ask({ verb }, "web", as)).ok, verb);
    assert.equal((await signIn()).outcome, "in");
  });

  test("a change that cannot be recorded is not made", async () => {
    const as = await session();
    const begun = await result({ verb: "totp_begin" }, as);
    const confirm = () => ({ verb: "totp_confirm", code: codeOf(begun.secret, kit.clock.now()) }) as const;
    const refused = async (command: Command, origin: "web" | "root" = "web"): Promise<void> =>
      assert.match(refusalOf(await kit.ask(command, origin, as)), /nothing was changed/);
    kit.fillDisk();
    await refused(confirm());
    assert.equal(kit.factors.totp(), null);
    kit.db.exec("DROP TRIGGER full");
    // After a refused write, the engine waits before it tries the database again.
    kit.clock.advance(2_000);
    const confirmed = await result(confirm(), as);
    kit.clock.advance(2 * STEP_MS);
    kit.fillDisk();
    await refused({ verb: "recovery_renew" });
    await refused({ verb: "totp_remove" });
    await refused({ verb: "factors_reset" }, "root");
    assert.notEqual(kit.factors.totp(), null);
    kit.db.exec("DROP TRIGGER full");
    kit.clock.advance(2_000);
    await session(confirmed.recoveryCodes[0]);
  });

  test("the console resets all factors and ends the sessions; a new password keeps the app", async () => {
    const as = await session();
    await setUp(as);
    await kit.ask({ verb: "admin_set_hash", hash: hashOf(PASSWORD) });
    assert.deepEqual(await signIn(), { outcome: "code_needed" });
    const reset = await kit.ask({ verb: "factors_reset" });
    assert.deepEqual(reset, { ok: true, result: { factors: 1, ended: 0, passkeyNames: [] } });
    const again = await session();
    assert.deepEqual(await kit.result({ verb: "factors_reset" }), { factors: 0, ended: 1, passkeyNames: [] });
    assert.ok(!(await kit.ask({ verb: "caller", isUse: true }, "web", again)).ok);
    assert.ok(kit.details().includes("every second factor by root"));
  });
});
