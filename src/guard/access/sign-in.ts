import { createHmac, randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { NotIn } from "../../admin/declare/items.ts";
import { actorOf } from "../../admin/declare/rights.ts";
import { LOGIN_DELAY_SECONDS } from "../../core/decide/policy.ts";
import { banIn } from "../../core/decide/sparing.ts";
import { messageOf } from "../../core/error.ts";
import type { LoginAttributes } from "../../core/events/login.ts";
import type { Reason } from "../../core/events/reasons.ts";
import type { Ip } from "../../core/net/ip.ts";
import { type Millis, SECOND_MS } from "../../core/time.ts";
import type { CredentialStore, SessionStore } from "../admin-ports.ts";
import type { WebBounds } from "../commands/web/web-bounds.ts";
import type { Engine } from "../engine.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports.ts";
import { ADMINISTRATOR } from "./callers.ts";
import { type CodeFrom, createFactors, type FactorParts } from "./factors.ts";
import { createLoginLanes, type Lane, laneOfStranger } from "./login-lanes.ts";
import type { Assertion, Passkeys } from "./passkeys.ts";
import { digestOf, isSame, newSecret } from "./secrets.ts";

/** Checks a password against a hash. It may take long, so other work must be able to continue. */
export interface Passwords {
  verify(hash: string, password: string): Promise<boolean>;
  /** A hash of the same cost that no password matches. If no password is set, an attempt takes as long as with a wrong one. */
  readonly decoy: string;
}

export type SignInBounds = Pick<WebBounds, "mayAsk" | "withoutBan" | "banned">;

/**
 * Asks the guard before a password or passkey is checked, and waits if the guard delays it. Returns the reason not to check it, or null to
 * check it. `mayBan`: whether the question itself may cause a ban.
 */
export async function whyUnchecked(
  engine: Pick<Engine, "ask">,
  bounds: SignInBounds,
  event: Omit<LoginAttributes, "withoutBan">,
  mayBan = true,
): Promise<Reason | null> {
  const withoutBan = mayBan ? bounds.withoutBan() : "bans_used_up";
  const asked = await engine.ask({ ...event, type: "LOGIN_ASKED", withoutBan });
  // If passwords are refused unchecked, the question itself causes the ban.
  if (banIn(asked) !== null) bounds.banned();
  if (asked.verdict === "refuse" || asked.verdict === "defer") return asked.reason;
  if (asked.verdict === "delay") await delayed();
  return null;
}

function delayed(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOGIN_DELAY_SECONDS * SECOND_MS));
}

export type SignInParts = Readonly<{
  engine: Pick<Engine, "ask" | "prefixOf" | "audit">;
  credentials: Pick<CredentialStore, "adminPasswordHash">;
  sessions: Pick<SessionStore, "open" | "prove">;
  passwords: Passwords;
  keys: Pick<Passkeys, "check" | "isKnown">;
  factors: FactorParts["factors"];
  hostname: FactorParts["hostname"];
  clock: Clock;
}>;

/** `known`: the cookie that the browser got when it signed in before; null without one. */
type Attempt = Credentials & Readonly<{ ip: Ip; known: string | null }>;
/** `code`: from the second factor. A passkey replaces both password and code. */
export type Credentials = Password | Readonly<{ passkey: Assertion }>;
type Password = Readonly<{ password: string; code?: string | undefined }>;
type ProofAttempt = Credentials & Pick<Attempt, "ip">;
/** `mark`: distinguishes guesses. */
type Checked = Readonly<{ isRight: boolean; mark: string; passkey?: string }>;
/** `hash`: the hash of the right password, or of the current one if a passkey was used. */
type AttemptResult = Readonly<{ hash: string }> | NotIn;
/** `isStill`: whether the password and the app are unchanged since the check started. */
type PasswordContext = Readonly<{
  hash: string | null;
  from: CodeFrom;
  by: string;
  isStill: () => boolean;
  isLate: () => boolean;
}>;
/** `known`: the cookie for the browser's next sign-in; null: none. */
export type Opened = Readonly<{ secret: string; digest: string; known: string | null }>;

/** `from`: groups the wrong codes that count together. */
type CodeLane = Lane & Readonly<{ from: CodeFrom }>;
type Turn = CodeLane & Readonly<{ since: Millis; takesEffect: () => void }>;

const ADMINISTRATORS_SESSION = { how: "session", name: ADMINISTRATOR, account: null } as const;
const KEY_BYTES = 32;
/** Random bytes in the id that names a session. */
export const ID_BYTES = 6;
/** Pause after each wrong passkey, so strangers write at most 20 rows a second. */
const WRONG_PASSKEY_MS = 50;
const KNOWN = "ghostinbox_device";
const BROWSER_BYTES = 8;
/** The web waits for ten seconds. A later result opens nothing. */
const ANSWER_WITHIN_MS = 9 * SECOND_MS;

export type SignIn = ReturnType<typeof createSignIn>;

/**
 * Signs the administrator in to the dashboard, with a password and second factor or with a passkey. The guard judges each attempt before
 * and after it is verified, as for mailboxes. While guesses come from many networks at once, an owner in a new browser must wait, and is
 * refused only while they come from as many networks as `LIMITS.dashboardLogins`.
 *
 * `key`: hides passwords in their hashes; random, except in tests.
 */
export function createSignIn(parts: SignInParts, bounds: SignInBounds, key: Buffer = randomBytes(KEY_BYTES)) {
  const { engine, credentials, sessions, passwords, keys, clock } = parts;
  const lanes = createLoginLanes(LIMITS.dashboardLogins);
  const factors = createFactors(parts);
  /** Resolves after the pauses of earlier wrong passkeys. */
  let pause: Promise<unknown> = Promise.resolve();

  const checkPassword = async (
    { password, code }: Password,
    { hash, from, by, isStill, isLate }: PasswordContext,
  ): Promise<Checked | NotIn> => {
    const isPassword = (await passwords.verify(hash ?? passwords.decoy, password)) && hash !== null && isStill();
    // A right password without a code is neither a sign-in nor a failure.
    if (isPassword && factors.app() !== null) {
      if (code === undefined) {
        await factors.asked({ from, by });
        return "code_needed";
      }
      // The web has already answered the browser without a session.
      if (isLate()) return "refused";
    }
    // Only now, so that a refused attempt uses up no code.
    const isRight = isPassword && (await factors.isRight({ code: code ?? "", from, hash, by }));
    return { isRight, mark: isPassword && !isRight ? `${password} ${code}` : password };
  };

  /** Wrong passkeys cost little to check, but each adds a record, so they queue with a pause after each. Reports a copied passkey. */
  const checkPasskey = async (given: Assertion, ip: Ip): Promise<Checked> => {
    const { found, passkey } = keys.check(given);
    if (found !== "right") {
      pause = pause.then(() => wait(WRONG_PASSKEY_MS));
      await pause;
    }
    // The client chooses the id. As the mark, an unknown id that is repeated would be a repeated password, which does not count.
    if (passkey === null) return { isRight: false, mark: randomBytes(KEY_BYTES).toString("hex") };
    if (found === "counter_back")
      await engine.audit({ type: "PASSKEY_REFUSED", subject: passkey.name, by: `web:unnamed via ${ip}` });
    return { isRight: found === "right", mark: given.id, passkey: passkey.name };
  };

  /** Distinguishes passwords, and wrong codes after a right one, without revealing them: 12 bits, as Dovecot's auth policy sends. */
  const passwordHashOf = (password: string): string =>
    createHmac("sha256", key).update(password).digest("hex").slice(0, 3);

  const checkAttempt = async (
    { ip, ...given }: ProofAttempt,
    { from, among, since, takesEffect }: Turn,
  ): Promise<AttemptResult> => {
    // Only for strangers, who could otherwise use up the share of an owner in the same network. A reserved queue is limited to one attempt
    // at a time.
    if (among.length > 0 && !bounds.mayAsk(engine.prefixOf(ip))) return "refused";
    const event = { ip, service: "dashboard", login: ADMINISTRATOR } as const;
    // Guessers behind the owner's address must not lock out the owner's own browser, nor a passkey, which no one can guess.
    const isDelayedOnly = among.length === 0 || "passkey" in given;
    const why = await whyUnchecked(engine, bounds, { ...event, passwordHash: "" }, !isDelayedOnly);
    if (why !== null && (why === "banned" || !isDelayedOnly)) return "refused";
    if (why !== null) await delayed();

    const hash = credentials.adminPasswordHash();
    const app = factors.app();
    // Changing or removing the password during the verification ended every session, so none may open now.
    const isStill = (): boolean => hash === credentials.adminPasswordHash() && app === factors.app();
    const isLate = (): boolean => clock.now() - since >= ANSWER_WITHIN_MS;
    const by = actorOf(ADMINISTRATORS_SESSION, ip);
    const checked =
      "passkey" in given
        ? await checkPasskey(given.passkey, ip)
        : await checkPassword(given, { hash, from, by, isStill, isLate });
    if (typeof checked === "string") return checked;
    const { isRight, mark, ...using } = checked;
    const type = isRight ? "LOGIN_SUCCEEDED" : "LOGIN_FAILED";
    const passwordHash = passwordHashOf(mark);
    const decision = await engine.ask({ ...event, ...using, type, passwordHash, withoutBan: bounds.withoutBan() });
    if (banIn(decision) !== null) bounds.banned();
    const isGone = "passkey" in given && !keys.isKnown(given.passkey.id);
    if (!isRight || hash === null || !isStill() || isGone) return "wrong";
    // Before anything is awaited, so that a reset that was recorded with this sign-in, and takes effect next, ends the session.
    takesEffect();
    return { hash };
  };

  const inTurn = (attempt: ProofAttempt, lane: CodeLane, takesEffect: () => void): Promise<AttemptResult> => {
    const since = clock.now();
    return lanes.inTurn(lane, () => checkAttempt(attempt, { ...lane, since, takesEffect }));
  };

  /** A browser that has signed in with the present password has a separate queue, which neither strangers nor other browsers can fill. */
  const laneOf = ({ ip, known }: Attempt): CodeLane => {
    const hash = credentials.adminPasswordHash();
    const browser = hash === null ? null : browserOf(known, hash);
    if (browser !== null) return { name: `browser ${browser}`, among: [], from: "browser" };
    return { ...laneOfStranger(ip, engine.prefixOf(ip)), from: "stranger" };
  };

  return {
    factors,

    /** Throws if the session cannot be stored. */
    open: async (attempt: Attempt, device: string): Promise<Opened | NotIn> => {
      const secret = newSecret();
      const digest = digestOf(secret);
      const id = randomBytes(ID_BYTES).toString("hex");
      const openSession = (): void => {
        try {
          sessions.open({ digest, id, account: null, device, ip: attempt.ip, at: clock.now() });
        } catch (cause) {
          const what = "passkey" in attempt ? "passkey" : "password";
          throw new Error(`the ${what} is right, but the session cannot be stored: ${messageOf(cause)}`, { cause });
        }
      };
      const outcome = await inTurn(attempt, laneOf(attempt), openSession);
      if (typeof outcome === "string") return outcome;
      const browser = browserOf(attempt.known, outcome.hash) ?? randomBytes(BROWSER_BYTES).toString("hex");
      return { secret, digest, known: knownBy(outcome.hash, browser) };
    },

    /** For an existing session, which no crowd of strangers can keep waiting. */
    prove: async (attempt: ProofAttempt, digest: string): Promise<"proved" | NotIn> => {
      const proveSession = (): void => sessions.prove(digest, clock.now());
      const outcome = await inTurn(attempt, { name: digest, among: [], from: "session" }, proveSession);
      return typeof outcome === "string" ? outcome : "proved";
    },
  };
}

/** The cookie that a browser gets at its first sign-in: its id, signed. It opens nothing, and a new password invalidates it. */
function knownBy(hash: string, browser: string): string {
  return `${browser}.${createHmac("sha256", hash).update(`${KNOWN} ${browser}`).digest("base64url")}`;
}

/** The id of a browser that has signed in with this password, or null. */
function browserOf(known: string | null, hash: string): string | null {
  const [browser = ""] = known?.split(".") ?? [];
  return known !== null && isSame(knownBy(hash, browser), known) ? browser : null;
}
