import { randomBytes } from "node:crypto";
import type { NotIn } from "../../admin/declare/items.ts";
import { isForGuard } from "../../core/access/passwords.ts";
import { banIn } from "../../core/decide/sparing.ts";
import { readOr } from "../../core/error.ts";
import type { AccountName } from "../../core/net/address.ts";
import { type Ip, prefixOf } from "../../core/net/ip.ts";
import { later } from "../../core/time.ts";
import type { SecretMaker, SessionStore } from "../admin-ports.ts";
import type { Engine } from "../engine.ts";
import { LIMITS } from "../limits.ts";
import type { AccountPasswords, Clock } from "../ports.ts";
import type { AccountHistory } from "../storage-ports.ts";
import { createLoginLanes, laneOfStranger } from "./login-lanes.ts";
import { digestOf, newSecret } from "./secrets.ts";
import { ID_BYTES, type Opened, type Passwords, type SignInBounds, whyUnchecked } from "./sign-in.ts";

export type MailboxSignInParts = Readonly<{
  engine: Pick<Engine, "ask" | "prefixOf" | "policy">;
  accountHistory: Pick<AccountHistory, "accountsOf">;
  /** The passwords of accounts that may sign in. */
  active: AccountPasswords;
  sessions: Pick<SessionStore, "open" | "prove">;
  passwords: Passwords;
  secrets: Pick<SecretMaker, "passwordHashOf">;
  mailboxes: () => Readonly<{ maySignIn: boolean }>;
  clock: Clock;
}>;

type MailboxAttempt = Readonly<{ account: AccountName; password: string; ip: Ip }>;

export type MailboxSignIn = ReturnType<typeof createMailboxSignIn>;

/**
 * Signs users of mailboxes in to the dashboard with their mailbox password. The guard judges each attempt before and after its password is
 * verified, by the same rules as for mail: the account's networks, its guard, limits and bans apply, and a repeated wrong password counts
 * once. These attempts have separate queues from the administrator's.
 */
export function createMailboxSignIn(parts: MailboxSignInParts, bounds: SignInBounds) {
  const { engine, accountHistory, active, sessions, passwords, secrets, mailboxes, clock } = parts;
  const ofStrangers = createLoginLanes(LIMITS.mailboxLogins);
  /** Separate, so that a crowd of strangers cannot fill the queues of places that accounts know. */
  const ofKnown = createLoginLanes(LIMITS.mailboxLogins);
  const isKnownPlace = ({ account, ip }: MailboxAttempt): boolean => {
    const { accounts, bans } = engine.policy;
    const since = later(clock.now(), -accounts.knownForMs);
    return readOr(() => accountHistory.accountsOf(prefixOf(ip, bans.ipv6Prefix), since), []).includes(account);
  };
  /**
   * Takes as long for a missing account as for a wrong password. An imported account with a different or costly hash must change its
   * password first.
   */
  const isRightFor = async (hash: string | null, password: string): Promise<boolean> => {
    const isChecked = hash !== null && isForGuard(hash);
    return (await passwords.verify(isChecked ? hash : passwords.decoy, password)) && isChecked;
  };
  const checkAttempt = async ({ account, password, ip }: MailboxAttempt, takesEffect: () => void) => {
    if (!mailboxes().maySignIn || !bounds.mayAsk(engine.prefixOf(ip))) return "refused";
    const passwordHash = secrets.passwordHashOf(account, password);
    const event = { ip, service: "dashboard", login: account, passwordHash } as const;
    const why = await whyUnchecked(engine, bounds, event);
    // A ban applies to every account, so refusing at once reveals nothing about this one, and saves the cost of a hash.
    if (why === "banned") return "refused";
    if (why !== null) {
      await passwords.verify(passwords.decoy, password);
      return "unchecked";
    }

    const hash = active.storedHash(account);
    const isRight = await isRightFor(hash, password);
    const type = isRight ? "LOGIN_SUCCEEDED" : "LOGIN_FAILED";
    const decision = await engine.ask({ ...event, type, withoutBan: bounds.withoutBan() });
    if (banIn(decision) !== null) bounds.banned();
    // The password may have been changed, or the account suspended, during the verification.
    if (!isRight || hash !== active.storedHash(account)) return "wrong";
    // Before anything is awaited, so that a password change that was recorded with this sign-in, and takes effect next, ends the session.
    takesEffect();
    return "right";
  };
  return {
    /** Throws if the session cannot be stored. */
    open: async (attempt: MailboxAttempt, device: string): Promise<Opened | NotIn> => {
      const { account, ip } = attempt;
      const [secret, id] = [newSecret(), randomBytes(ID_BYTES).toString("hex")];
      const digest = digestOf(secret);
      const openSession = (): void => sessions.open({ digest, id, account, device, ip, at: clock.now() });
      const prefix = engine.prefixOf(ip);
      const known = { name: `${account} ${prefix}`, among: [account, prefix] };
      // Beyond its shares an attempt counts as a stranger's. Otherwise a thief at two places that the account knows could keep its owner
      // out of all of them.
      const isKnown = isKnownPlace(attempt) && ofKnown.hasShare(known);
      const lanes = isKnown ? ofKnown : ofStrangers;
      const lane = isKnown ? known : laneOfStranger(ip, prefix);
      const outcome = await lanes.inTurn(lane, () => checkAttempt(attempt, openSession));
      return outcome === "right" ? { secret, digest, known: null } : outcome;
    },

    /** For an existing session. One password of an account is verified at a time, however many sessions it has. */
    prove: async (attempt: MailboxAttempt, digest: string): Promise<"proved" | NotIn> => {
      const proveSession = (): void => sessions.prove(digest, clock.now());
      const lane = { name: attempt.account, among: [] };
      const outcome = await ofStrangers.inTurn(lane, () => checkAttempt(attempt, proveSession));
      return outcome === "right" ? "proved" : outcome;
    },
  };
}
