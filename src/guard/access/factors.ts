import { randomBytes } from "node:crypto";
import { DAY_MS, MINUTE_MS, type Millis } from "../../core/time.ts";
import type { CredentialStore, FactorStore, NewTotp, RecoveryStore, StoredTotp } from "../admin-ports.ts";
import { Budget } from "../budget.ts";
import type { Engine } from "../engine.ts";
import type { Clock, Notices } from "../ports.ts";
import {
  base32,
  isTotp,
  newRecoveryCodes,
  RECOVERY_CODES,
  recoveryDigest,
  SECRET_BYTES,
  stepOf,
  uriOf,
} from "./one-time-codes.ts";

export type FactorParts = Readonly<{
  engine: Pick<Engine, "audit">;
  factors: FactorStore & RecoveryStore;
  /** The server's name, for the list in the authenticator app. */
  hostname: () => string;
  clock: Clock;
}>;

/** Who enters a code: a browser that never signed in, one that did, or a session that proves itself. */
export type CodeFrom = "stranger" | "browser" | "session";
/** `hash`: the hash of the right password that was given with the code. `by`: the actor to record. */
type GivenCode = Readonly<{ code: string; from: CodeFrom; hash: string; by: string }>;

/**
 * Maximum wrong codes within a day for each `CodeFrom`; further app codes are not checked. At any time three of a million codes are right,
 * so 20 guesses a day find one within a year with a probability of 2 % (docs/adr/0020). Recovery codes cannot be guessed, so they are
 * always checked.
 */
export const WRONG_CODES = 20;
/** How long a new secret waits for its first code. */
const SET_UP_MS = 10 * MINUTE_MS;
export const APP = "authenticator app";

type Pending = Readonly<{ session: string; secret: Uint8Array; at: Millis }>;
type Ready = Pick<NewTotp, "secret" | "lastStep">;

/** The administrator's authenticator app and recovery codes. The secret is shown only during setup. */
export function createFactors({ factors, engine, hostname, clock }: FactorParts) {
  let guesses: Readonly<{ of: string; budgets: Readonly<Record<CodeFrom, Budget>> }> | null = null;
  let pending: Pending | null = null;
  const withoutCode = new Budget(WRONG_CODES, DAY_MS);
  /** A new password or app resets the count: guesses at the old one do not matter. */
  const budgetsOf = ({ secret }: StoredTotp, hash: string): Readonly<Record<CodeFrom, Budget>> => {
    const of = `${hash} ${base32(secret)}`;
    if (guesses?.of !== of) {
      const budget = (): Budget => new Budget(WRONG_CODES, DAY_MS);
      guesses = { of, budgets: { stranger: budget(), browser: budget(), session: budget() } };
    }
    return guesses.budgets;
  };
  return {
    /** Identifies the app; null if none is set up, so that the password is enough. */
    app: (): string | null => {
      const totp = factors.totp();
      return totp === null ? null : base32(totp.secret);
    },

    /** Uses up the code if it is right. Throws if its use cannot be stored. */
    isRight: async ({ code: typed, from, hash, by }: GivenCode): Promise<boolean> => {
      const totp = factors.totp();
      if (totp === null) return true;
      const now = clock.now();
      const code = typed.replaceAll(/[\s-]/g, "").toLowerCase();
      const budget = budgetsOf(totp, hash)[from];
      if (isTotp(code) && budget.isLeft(now)) {
        const step = stepOf(totp, code, now);
        if (step !== null && factors.useStep(step, totp.lastStep)) return true;
      }
      const digest = recoveryDigest(code);
      if (digest !== null && factors.useRecovery(digest, now)) {
        await engine.audit({ type: "RECOVERY_CODE_USED", subject: `${factors.recoveryLeft()} left`, by });
        return true;
      }
      // Past the limit no app code is checked, so no wrong one is reported.
      if (budget.spend(now)) await engine.audit({ type: "SECOND_FACTOR_FAILED", subject: APP, by });
      return false;
    },

    /** Records that a new browser gave the right password without a code, at most `WRONG_CODES` times a day. */
    asked: async ({ from, by }: Pick<GivenCode, "from" | "by">): Promise<void> => {
      if (from !== "stranger" || !withoutCode.spend(clock.now())) return;
      await engine.audit({ type: "SECOND_FACTOR_ASKED", subject: APP, by });
    },

    /** Creates a new secret. It takes effect once the same session enters one of its codes. */
    begin: (session: string): Readonly<{ secret: string; uri: string }> => {
      const secret = randomBytes(SECRET_BYTES);
      pending = { session, secret, at: clock.now() };
      return { secret: base32(secret), uri: uriOf(secret, hostname()) };
    },

    /** Checks the first code of this session's setup, and returns what to confirm; `none` if the session has no setup. Stores nothing. */
    ready: (session: string, typed: string): Ready | "none" | "wrong" => {
      const now = clock.now();
      if (pending?.session !== session || Math.abs(now - pending.at) >= SET_UP_MS) return "none";
      const { secret } = pending;
      const lastStep = stepOf({ secret, lastStep: 0 }, typed.replaceAll(/\s/g, ""), now);
      return lastStep === null ? "wrong" : { secret, lastStep };
    },

    /** Returns the recovery codes; null if an app was set up since, or the setup was started again. */
    confirm: ({ secret, lastStep }: Ready): readonly string[] | null => {
      if (pending?.secret !== secret) return null;
      const { codes, digests } = newRecoveryCodes();
      factors.setTotp({ secret, lastStep, at: clock.now(), recovery: digests });
      pending = null;
      return codes;
    },

    renewCodes: (): readonly string[] => {
      const { codes, digests } = newRecoveryCodes();
      factors.renewRecovery(digests, clock.now());
      return codes;
    },
  };
}

/** A notice appears when this many codes or fewer are left. */
const FEW_CODES = 3;
type LookParts = Readonly<{
  notices: Notices;
  credentials: Pick<CredentialStore, "adminPasswordHash">;
  factors: Pick<FactorStore & RecoveryStore, "totp" | "recoveryLeft">;
}>;

/** Reports a dashboard without a password or with few recovery codes. Call it about every second. */
export function lookAtFactors({ notices, credentials, factors }: LookParts): void {
  notices.set("dashboard_password_unset", credentials.adminPasswordHash() === null ? "" : null);
  const left = factors.totp() === null ? null : factors.recoveryLeft();
  notices.set("recovery_codes_few", left !== null && left <= FEW_CODES ? `${left} of ${RECOVERY_CODES}` : null);
}
