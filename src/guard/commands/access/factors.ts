import type { ParsedCommandOf, Reply } from "../../../admin/declare/control.ts";
import { parseIp } from "../../../core/net/ip.ts";
import { plural } from "../../../core/text.ts";
import { isoTime, isoTimeOrNull } from "../../../core/time.ts";
import { ADMINISTRATOR } from "../../access/callers.ts";
import { APP } from "../../access/factors.ts";
import { RECOVERY_CODES } from "../../access/one-time-codes.ts";
import type { Passkeys } from "../../access/passkeys.ts";
import type { SignIn } from "../../access/sign-in.ts";
import type { FactorStore, Passkey, PasskeyStore, RecoveryStore } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import type { Clock } from "../../ports.ts";
import { type Rehearsal, recordAll, recordThenChange, UNWRITTEN } from "../record-first.ts";
import { failed } from "../refusals.ts";
import type { RunsOf } from "../run-of.ts";
import { NO_ADDRESS, type OfCaller, UNAUTHORIZED } from "../web/command-gate.ts";
import type { WebBounds } from "../web/web-bounds.ts";
import type { OfSignIns } from "./access.ts";

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
  /** Strangers may request a challenge as often as they may sign in. Nothing is stored. */
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
  /** The last passkey may be removed too, because the password remains. */
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
const NOT_SET_UP = failed("No authenticator app is set up.", "Set one up first.");
const NOT_BEGUN = failed(
  "No setup is waiting for a code.",
  "Start again, and enter the code within ten minutes in the same session.",
);
const WRONG_CODE = failed(
  "This is not the app's current code.",
  "Enter the code that the app shows, and check the phone's clock.",
);

type Setup = Omit<FactorCommandParts, "factors"> &
  Readonly<{ store: FactorCommandParts["factors"]; factors: SignIn["factors"]; session: string; by: string }>;

/** For the owner's session, because a token must not set up a factor. The record comes first, so no factor changes without one. */
function ofSession<C>(run: (setup: Setup, command: C) => Promise<Reply> | Reply) {
  return (parts: FactorCommandParts, command: C, by: string, { signIns, caller }: OfCaller & OfSignIns) => {
    if (caller === null || caller.item.session === null) return UNAUTHORIZED;
    const { factors } = signIns.administrator;
    return run({ ...parts, store: parts.factors, factors, session: caller.digest, by }, command);
  };
}

export const FACTOR_RUNS = {
  ...PASSKEY_RUNS,
  factor_list: ({ factors, passkeys }: FactorCommandParts): Reply<"factor_list"> => {
    const totp = factors.totp() !== null;
    const items = passkeys.list().map(passkeyItem);
    return { ok: true, result: { totp, recoveryLeft: factors.recoveryLeft(), passkeys: items } };
  },
  totp_begin: ofSession(({ factors, session }) => ({ ok: true, result: factors.begin(session) })),
  totp_confirm: ofSession(async ({ engine, factors, session, by }, { code }: ParsedCommandOf<"totp_confirm">) => {
    const ready = factors.ready(session, code);
    if (typeof ready === "string") return ready === "none" ? NOT_BEGUN : WRONG_CODE;
    if (!(await engine.audit({ type: "FACTOR_ADDED", subject: APP, by }))) return UNWRITTEN;
    const codes = factors.confirm(ready);
    return codes === null ? NOT_BEGUN : { ok: true, result: { recoveryCodes: codes } };
  }),
  totp_remove: ofSession(async ({ engine, store, by }) => {
    if (store.totp() === null) return NOT_SET_UP;
    if (!(await engine.audit({ type: "FACTOR_REMOVED", subject: APP, by }))) return UNWRITTEN;
    store.removeTotp();
    return { ok: true, result: { done: true } };
  }),
  recovery_renew: ofSession(async ({ engine, store, factors, by }) => {
    if (store.totp() === null) return NOT_SET_UP;
    const subject = plural(RECOVERY_CODES, "code");
    if (!(await engine.audit({ type: "RECOVERY_CODES_MADE", subject, by }))) return UNWRITTEN;
    return { ok: true, result: { recoveryCodes: factors.renewCodes() } };
  }),
  /** For an owner who lost the phone, or if someone else may have set up a factor. */
  factors_reset: async ({ factors, passkeys, engine }: FactorCommandParts, _: unknown, by: string): Promise<Reply> => {
    const names = passkeys.list().map(({ name }) => name);
    const isRecorded = await recordAll(engine, [
      { type: "FACTOR_REMOVED", subject: "every second factor", by },
      ...names.map((name) => ({ type: "PASSKEY_REMOVED", subject: name, by }) as const),
    ]);
    if (!isRecorded) return UNWRITTEN;
    return { ok: true, result: { ...factors.reset(), passkeyNames: names } };
  },
};
