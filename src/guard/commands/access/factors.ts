import type { ParsedCommandOf, Reply } from "../../../admin/declare/control.ts";
import { parseIp } from "../../../core/net/ip.ts";
import { plural } from "../../../core/text.ts";
import { isoTime, isoTimeOrNull } from "../../../core/time.ts";
import { ADMINISTRATOR } from "../../access/callers.ts";
import { APP } from "../../access/factors.ts";
import { RECOVERY_CODES } from "../../access/one-time-codes.ts";
import type { Passkeys } from "../../access/passkeys.ts";
import type { FactorStore, Passkey, PasskeyStore, RecoveryStore } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import type { Clock } from "../../ports.ts";
import { type Rehearsal, recordThenChange, UNWRITTEN } from "../record-first.ts";
import { failed, type RunsOf } from "../refusals.ts";
import { NO_ADDRESS, type OfCaller, UNAUTHORIZED } from "../web/command-gate.ts";
import type { WebBounds } from "../web/web-bounds.ts";
import type { SignIns } from "./access.ts";

type PasskeyCommandParts = Rehearsal &
  Readonly<{
    passkeys: PasskeyStore;
    /** Domains of the dashboard, including their subdomains; the first names the server. */
    names: () => readonly string[];
    engine: Pick<Engine, "audit" | "prefixOf">;
    clock: Clock;
  }>;

type OfKeys = OfCaller & Readonly<{ keys: Passkeys; bounds: Pick<WebBounds, "mayChallenge"> }>;

const PASSKEY_RUNS = {
  /** Strangers may request one as often as they may sign in. Nothing is stored. */
  passkey_challenge: ({ engine }, { ip: from }, _, { keys, bounds }) => {
    const ip = parseIp(from);
    if (ip === null) return NO_ADDRESS;
    return { ok: true, result: { challenge: bounds.mayChallenge(engine.prefixOf(ip)) ? keys.challenge() : null } };
  },
  passkey_list: ({ passkeys }, _, __, { caller }) =>
    caller === null ? UNAUTHORIZED : { ok: true, result: { items: passkeys.list().map(passkeyItem) } },
  passkey_begin: ({ passkeys, clock, names }, _, __, { keys, caller }) => {
    if (caller === null) return UNAUTHORIZED;
    const known = passkeys.list().map(({ id }) => id);
    const name = `${ADMINISTRATOR} (${names()[0] ?? "GhostInbox"})`;
    const user = passkeys.userHandle(clock.now());
    return { ok: true, result: { challenge: keys.challengeToMake(caller.digest), name, user, known } };
  },
  passkey_add: (parts, command, by, { keys, caller }) => {
    if (caller === null) return UNAUTHORIZED;
    const { passkeys, clock } = parts;
    const name = command.name.trim();
    const made = keys.checkMade(command, caller.digest);
    if (!made.ok) return failed(`The passkey was not accepted. ${made.reason}`, "");
    return recordThenChange(parts, {
      change: () => passkeys.add({ ...made.passkey, name, at: clock.now() }),
      audit: { type: "PASSKEY_ADDED", subject: name, by },
      result: { name },
      refused: (reason) => failed(reason, ""),
    });
  },
  /** The last one may be removed: the password remains. */
  passkey_remove: async ({ passkeys, engine }, { id }, by, { caller }) => {
    if (caller === null) return UNAUTHORIZED;
    const name = passkeys.list().find((known) => known.id === id)?.name;
    if (name === undefined) return failed("There is no such passkey.", "");
    if (!(await engine.audit({ type: "PASSKEY_REMOVED", subject: name, by }))) return UNWRITTEN;
    passkeys.remove(id);
    return { ok: true, result: { name } };
  },
} satisfies RunsOf<PasskeyCommandParts, OfKeys>;

function passkeyItem({ id, name, createdAt, usedAt }: Passkey) {
  return { id, name, created: isoTime(createdAt), lastUsed: isoTimeOrNull(usedAt) };
}

type FactorCommandParts = Readonly<{
  factors: FactorStore & RecoveryStore;
  passkeys: Pick<PasskeyStore, "list">;
  engine: Pick<Engine, "audit">;
}>;
type FactorVerb = "factor_list" | "totp_begin" | "totp_confirm" | "totp_remove" | "recovery_renew";

const NOT_SET_UP = failed("No authenticator app is set up.", "Set one up first.");
const NOT_BEGUN = failed("No setup waits for a code.", "Start again: a setup waits ten minutes, in one session.");
const WRONG_CODE = failed(
  "This is not the app's current code.",
  "Enter the code that the app shows, and check the phone's clock.",
);

/** The owner's commands on second factors of the dashboard's sign-in. The record comes first: no factor changes without one. */
async function factorCommand(
  { factors: store, passkeys, engine }: FactorCommandParts,
  command: ParsedCommandOf<FactorVerb>,
  by: string,
  { signIns, caller }: OfCaller & Readonly<{ signIns: SignIns }>,
): Promise<Reply> {
  const { factors } = signIns.administrator;
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

/** For an owner who lost the phone, or after someone else may have set one up. */
async function resetFactors({ factors, passkeys, engine }: FactorCommandParts, _: unknown, by: string): Promise<Reply> {
  const names = passkeys.list().map(({ name }) => name);
  const recorded = await Promise.all([
    engine.audit({ type: "FACTOR_REMOVED", subject: "every second factor", by }),
    ...names.map((name) => engine.audit({ type: "PASSKEY_REMOVED", subject: name, by })),
  ]);
  if (!recorded.every(Boolean)) return UNWRITTEN;
  return { ok: true, result: { ...factors.reset(), passkeyNames: names } };
}

export const FACTOR_RUNS = {
  ...PASSKEY_RUNS,
  factor_list: factorCommand,
  totp_begin: factorCommand,
  totp_confirm: factorCommand,
  totp_remove: factorCommand,
  recovery_renew: factorCommand,
  factors_reset: resetFactors,
};
