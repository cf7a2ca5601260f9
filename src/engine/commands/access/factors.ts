import { plural } from "../../../core/text.ts";
import type { Command, CommandError, Reply } from "../../../wire/control/control.ts";
import { APP, type Factors } from "../../access/factors.ts";
import { RECOVERY_CODES } from "../../access/recovery-codes.ts";
import type { FactorStore, PasskeyStore, RecoveryStore } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import { UNWRITTEN } from "../unrecorded.ts";
import { UNAUTHORIZED, type WebCaller } from "../web/web.ts";
import { passkeyItem } from "./passkeys.ts";

export type FactorCommandParts = Readonly<{
  factors: FactorStore & RecoveryStore;
  passkeys: Pick<PasskeyStore, "list">;
  engine: Pick<Engine, "audit">;
}>;
export type FactorCommand = Extract<
  Command,
  { readonly verb: "factor_list" | "totp_begin" | "totp_confirm" | "totp_remove" | "recovery_renew" }
>;

const NOT_SET_UP = failed("No authenticator app is set up.", "Set one up first.");
const NOT_BEGUN = failed("No setup waits for a code.", "Start again: a setup waits ten minutes, in one session.");
const WRONG_CODE = failed(
  "This is not the app's current code.",
  "Enter the code that the app shows, and check the phone's clock.",
);

/** The owner's commands on second factors of the dashboard's sign-in. The record comes first: no factor changes without one. */
export async function factorCommand(
  { factors: store, passkeys, engine }: FactorCommandParts,
  factors: Factors,
  command: FactorCommand,
  { caller, by }: Readonly<{ caller: WebCaller | null; by: string }>,
): Promise<Reply> {
  const isOn = store.totp() !== null;
  if (command.verb === "factor_list")
    return {
      ok: true,
      result: { totp: isOn, recoveryLeft: store.recoveryLeft(), passkeys: passkeys.list().map(passkeyItem) },
    };
  if (caller?.item.session === null || caller === null) return UNAUTHORIZED;
  switch (command.verb) {
    case "totp_begin":
      return { ok: true, result: factors.begin(caller.digest) };
    case "totp_confirm": {
      const ready = factors.ready(caller.digest, command.code);
      if (typeof ready === "string") return ready === "none" ? NOT_BEGUN : WRONG_CODE;
      if (!(await engine.audit({ type: "FACTOR_ADDED", subject: APP, by }))) return UNWRITTEN;
      const codes = factors.confirm(ready);
      return codes === null ? NOT_BEGUN : { ok: true, result: { recoveryCodes: codes } };
    }
    case "totp_remove":
      if (!isOn) return NOT_SET_UP;
      if (!(await engine.audit({ type: "FACTOR_REMOVED", subject: APP, by }))) return UNWRITTEN;
      store.removeTotp();
      return { ok: true, result: { done: true } };
    case "recovery_renew": {
      if (!isOn) return NOT_SET_UP;
      const subject = plural(RECOVERY_CODES, "code");
      if (!(await engine.audit({ type: "RECOVERY_CODES_MADE", subject, by }))) return UNWRITTEN;
      return { ok: true, result: { recoveryCodes: factors.renewCodes() } };
    }
  }
}

/** For an owner who lost the phone, or after somebody else may have set one up. */
export async function resetFactors({ factors, passkeys, engine }: FactorCommandParts, by: string): Promise<Reply> {
  const names = namesOf(passkeys);
  const recorded = await Promise.all([
    engine.audit({ type: "FACTOR_REMOVED", subject: "every second factor", by }),
    ...names.map((name) => engine.audit({ type: "PASSKEY_REMOVED", subject: name, by })),
  ]);
  if (!recorded.every(Boolean)) return UNWRITTEN;
  return { ok: true, result: { ...factors.reset(), passkeyNames: names } };
}

function namesOf(passkeys: Pick<PasskeyStore, "list">): readonly string[] {
  return passkeys.list().map(({ name }) => name);
}

function failed(message: string, next: string): CommandError {
  return { ok: false, kind: "failed", message, next };
}
