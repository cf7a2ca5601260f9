import type { LoginAsked, LoginFacts, LoginFailed, LoginSucceeded } from "../events/login.ts";
import { prefixOf } from "../net/ip.ts";
import { isOutside } from "../net/login-networks.ts";
import type { Millis } from "../time.ts";
import { type GuessedAt, guardAccount, guesses } from "./account-guard.ts";
import { nextBan } from "./ban-ladder.ts";
import { type Change, type Decision, decision, type Evidence } from "./decision.ts";
import type { Facts, Offender } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { banIn, spare } from "./sparing.ts";

const SETTING = "limits.logins.failures";

type PasswordFacts = Offender & Pick<Facts, "failures" | "known" | "knownAccounts">;
export type LoginQuestion = PasswordFacts &
  GuessedAt &
  Pick<Facts, "protection" | "ban" | "accountNetworks" | "sparing">;
export type SignInFacts = Pick<Facts, "protection">;

/** Before the password is verified. A pass leaves no row, because the report that follows does. */
export function decideLoginAsked(policy: Policy, facts: LoginQuestion, event: LoginAsked, now: Millis): Decision {
  if (facts.protection === null && facts.ban !== null) return decision("refuse", "banned", { counted: false });
  // Restrictions on where accounts may sign in also apply to the allow list, as in Dovecot.
  if (isAway(policy, facts, event)) return decision("refuse", "outside_networks", { counted: false });
  if (facts.protection !== null) {
    const count = recentFailures(facts, policy.logins.windowMs, now).length;
    return slowedGuessing(policy, count) ?? decision("pass", facts.protection, { counted: false, recorded: false });
  }
  const guarded = guardAccount(policy, facts, event.passwordHash);
  // A refusal without a check counts for the address too: guessing at a guarded account is guessing.
  if (guarded !== null) return guarded.counted ? both(guarded, wrongPassword(policy, facts, event, now)) : guarded;

  const { failures: limit, windowMs } = policy.logins;
  const evidence: Evidence = { count: recentFailures(facts, windowMs, now).length, limit, windowMs, key: SETTING };
  if (evidence.count < limit) return decision("pass", "below_limit", { counted: false, recorded: false });
  if (facts.known) return decision("delay", "known_address", { evidence, counted: false });
  if (event.withoutBan === true) return decision("refuse", "bans_used_up", { evidence, counted: false });
  // Over the limit, but the ban was spared.
  return decision("delay", "guessing_slowed", { evidence, counted: false });
}

function both(guarded: Decision, judged: Decision): Decision {
  if (judged.verdict === "refuse") return { ...judged, changes: [...guarded.changes, ...judged.changes] };
  return { ...guarded, counted: judged.counted };
}

/**
 * From now on the account knows the address, even if only the allow list let it in, because that entry may end.
 * Addresses on the allow list are counted one by one; known ones are not.
 */
export function decideLoginSucceeded(policy: Policy, facts: SignInFacts, event: LoginSucceeded): Decision {
  const isPlace = facts.protection === null || facts.protection === "allow_listed";
  if (!isPlace || event.service === "dashboard") return decision("pass", "signed_in");
  const prefix = prefixOf(event.ip, policy.bans.ipv6Prefix);
  return decision("pass", "signed_in", {
    changes: [{ type: "KNOW", prefix, account: event.login, proof: event.passwordHash }],
  });
}

/**
 * Counts different passwords, because a device that repeats a stale one is not an attacker. Sign-ins from outside the
 * networks do not count: Dovecot reports a right password there as a failure, too.
 */
export function decideLoginFailed(policy: Policy, facts: LoginQuestion, event: LoginFailed, now: Millis): Decision {
  const away = isAway(policy, facts, event);
  if (facts.protection !== null) {
    const recent = recentFailures(facts, policy.logins.windowMs, now);
    if (away || isRepeated(recent, event)) return decision("pass", facts.protection, { counted: false });
    const due = banIn(wrongPassword(policy, facts, event, now));
    const changes = due === null ? [] : spare(facts, due, facts.protection, now);
    const slowed = slowedGuessing(policy, recent.length + 1);
    return { ...(slowed ?? decision("pass", facts.protection)), counted: true, changes };
  }
  const guessed: readonly Change[] = away ? [] : guesses(facts, event.passwordHash);
  if (facts.ban !== null) return decision("refuse", "banned", { counted: false, changes: guessed });
  if (away) return decision("refuse", "outside_networks", { counted: false });
  const judged = wrongPassword(policy, facts, event, now);
  return { ...judged, changes: [...guessed, ...judged.changes] };
}

/** The effect of a wrong password on its address. */
function wrongPassword(policy: Policy, facts: PasswordFacts, event: LoginFacts, now: Millis): Decision {
  const { failures: limit, windowMs } = policy.logins;
  const recent = recentFailures(facts, windowMs, now);
  const evidence: Evidence = { count: recent.length + 1, limit, windowMs, key: SETTING };
  if (isRepeated(recent, event))
    return decision("pass", "repeated_password", {
      evidence: { ...evidence, count: recent.length },
      counted: false,
    });
  if (evidence.count < limit) return decision("pass", "below_limit", { evidence });
  if (facts.known && !attacksOthers(policy, facts, recent, event))
    return decision("delay", "known_address", { evidence });
  if (event.withoutBan === true) return decision("refuse", "bans_used_up", { evidence });
  return decision("refuse", "login_failures", {
    evidence,
    changes: [nextBan(policy, facts, { code: "login_failures", evidence }, now)],
  });
}

/** At a known account, a client may mistype forever, slowly; at other accounts it may not. */
function attacksOthers(
  policy: Policy,
  { knownAccounts }: PasswordFacts,
  recent: Facts["failures"],
  { login }: LoginFacts,
): boolean {
  const tried = [...recent.map(({ account }) => account), login.toLowerCase()];
  const atOthers = tried.filter((account) => !knownAccounts.includes(account)).length;
  return atOthers >= policy.logins.failures * policy.knownFactor;
}

function isRepeated(recent: Facts["failures"], { passwordHash }: LoginFacts): boolean {
  return passwordHash !== "" && recent.some((failure) => failure.passwordHash === passwordHash);
}

/**
 * Slows down addresses that are never banned: otherwise they could guess forever. Many honest users may be behind one
 * (a webmail, a proxy that hides its clients), so the limit is that of a known address.
 */
function slowedGuessing({ logins, knownFactor }: Policy, count: number): Decision | null {
  const evidence: Evidence = { count, limit: logins.failures * knownFactor, windowMs: logins.windowMs, key: SETTING };
  return count < evidence.limit ? null : decision("delay", "guessing_slowed", { evidence, counted: false });
}

/** The dashboard is not a mailbox. */
function isAway({ logins }: Policy, { ip, accountNetworks }: LoginQuestion, { service }: LoginFacts): boolean {
  return service !== "dashboard" && isOutside(ip, logins.networks, accountNetworks);
}

function recentFailures(facts: PasswordFacts, windowMs: number, now: Millis): Facts["failures"] {
  const start = now - windowMs;
  return facts.failures.filter((failure) => failure.at > start);
}
