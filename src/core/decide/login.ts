import { isAdministrators } from "../events/event-types.ts";
import type { LoginAsked, LoginAttributes, LoginFailed, LoginSucceeded } from "../events/login.ts";
import { isOutside, prefixOf } from "../net/ip.ts";
import { DAY_MS, type Millis, WEEK_MS } from "../time.ts";
import { guesses, looksRight, refusedGuesses } from "./account-guard.ts";
import { nextBan } from "./ban-ladder.ts";
import { type Change, type Decision, decision, type Evidence, uncounted } from "./decision.ts";
import type { Facts } from "./facts.ts";
import {
  barredBy,
  barredHere,
  failuresWithin,
  isFresh,
  isKnownPlace,
  knowsAddress,
  mayBeRight,
  slowLimits,
} from "./new-places.ts";
import type { Policy } from "./policy.ts";
import { banIn, spare } from "./sparing.ts";

const SETTING = "limits.logins.failures";

/** Before the password is verified. A pass is not recorded, because the report that follows is. */
export function decideLoginAsked(policy: Policy, facts: Facts, event: LoginAsked, now: Millis): Decision {
  if (facts.protection === null && facts.ban !== null) return uncounted("refuse", "banned");
  // Restrictions on where accounts may sign in also apply to the allow list, as in Dovecot.
  if (isAway(policy, facts, event)) return uncounted("refuse", "outside_networks");
  if (isExempt(facts)) {
    const local = barredHere(policy, facts);
    if (local !== null && !looksRight(facts, event.passwordHash))
      return uncounted("refuse", local.reason, { evidence: local.evidence });
    const count = recentFailures(policy, facts, now).length;
    return slowedGuessing(policy, facts, count) ?? uncounted("pass", facts.protection, { recorded: false });
  }
  const barred = barredBy(policy, facts, event, now);
  if (barred !== null && !mayBeRight(policy, facts, event)) {
    // A refusal without a check counts for the address too, the same for right and wrong passwords.
    const { counted, changes } = wrongPassword(policy, facts, event, now);
    const guessed = counted ? refusedGuesses(facts, event.passwordHash) : [];
    const isRight = looksRight(facts, event.passwordHash);
    return decision("refuse", isRight ? "right_password_guarded" : barred.reason, {
      // A right password is refused because of the budget of limits.accounts.candidates, whichever limit bars others.
      evidence: isRight ? null : barred.evidence,
      counted,
      changes: [...guessed, ...changes],
    });
  }
  const evidence = shortEvidence(policy, facts, recentFailures(policy, facts, now).length);
  // The owner's device does not wait for others behind its address.
  if (evidence.count < evidence.limit || (knowsAddress(facts) && looksRight(facts, event.passwordHash)))
    return uncounted("pass", "below_limit", { recorded: false });
  if (isKnownPlace(facts)) return uncounted("delay", "known_address", { evidence });
  if (event.withoutBan === "bans_used_up") return uncounted("refuse", "bans_used_up", { evidence });
  if (event.withoutBan === "unwritable") return uncounted("refuse", "login_failures", { evidence });
  // Over the limit, but the ban was spared.
  return uncounted("delay", "guessing_slowed", { evidence });
}

/**
 * From now on the account knows the address, even if only the allow list accepted it, because that entry may end. `facts.prefix` may be
 * just the address, because protected addresses are counted one by one; known ones are kept by prefix.
 */
export function decideLoginSucceeded(policy: Policy, facts: Facts, event: LoginSucceeded): Decision {
  if (isAdministrators(event.service, event.login)) return decision("pass", "signed_in");
  const { passwordHash } = event;
  const account = event.login.toLowerCase();
  if (facts.protection === "loopback") {
    // Otherwise a right password that was set elsewhere would never look right here.
    const isNew = passwordHash !== "" && !looksRight(facts, passwordHash);
    const known: Change = { type: "SET_PASSWORD", account, passwordHash };
    return decision("pass", "signed_in", { changes: isNew ? [known] : [] });
  }
  const prefix = prefixOf(event.ip, policy.bans.ipv6Prefix);
  return decision("pass", "signed_in", { changes: [{ type: "KNOW", prefix, account, passwordHash }] });
}

/**
 * Counts different passwords, because a device that repeats a stale one is not an attacker. Sign-ins from outside the allowed networks do
 * not count, because Dovecot reports even a right password there as a failure.
 */
export function decideLoginFailed(policy: Policy, facts: Facts, event: LoginFailed, now: Millis): Decision {
  const away = isAway(policy, facts, event);
  if (isExempt(facts)) {
    if (away) return uncounted("pass", facts.protection);
    if (isRepeated(facts, event, now)) return nameInactive(facts, event, uncounted("pass", facts.protection));
    const due = banIn(wrongPassword(policy, facts, event, now));
    const spared = due === null ? [] : spare(facts, due, facts.protection, now);
    const changes = facts.protection === "loopback" ? [...guesses(facts, event.passwordHash), ...spared] : spared;
    const slowed = slowedGuessing(policy, facts, recentFailures(policy, facts, now).length + 1);
    return nameInactive(facts, event, { ...(slowed ?? decision("pass", facts.protection)), counted: true, changes });
  }
  const guessed: readonly Change[] = away || isRepeated(facts, event, now) ? [] : guesses(facts, event.passwordHash);
  if (facts.protection === null && facts.ban !== null) return uncounted("refuse", "banned", { changes: guessed });
  if (away) return uncounted("refuse", "outside_networks");
  const judged = wrongPassword(policy, facts, event, now);
  return nameInactive(facts, event, { ...judged, changes: [...guessed, ...judged.changes] });
}

/** Dovecot reports the right password of a suspended account as a failure. It counts like any other, but is named. */
function nameInactive(facts: Facts, { passwordHash }: LoginAttributes, judged: Decision): Decision {
  if (judged.verdict !== "pass" || !looksRight(facts, passwordHash) || facts.isAccountActive) return judged;
  const { evidence, counted, changes } = judged;
  return decision("pass", "right_password_inactive", { evidence, counted, changes });
}

function wrongPassword(policy: Policy, facts: Facts, event: LoginAttributes, now: Millis): Decision {
  const recent = recentFailures(policy, facts, now).length;
  const { failures: limit, windowMs } = policy.logins;
  const short: Evidence = { count: recent + 1, limit, windowMs, key: SETTING };
  if (isRepeated(facts, event, now))
    return uncounted("pass", "repeated_password", { evidence: { ...short, count: recent } });
  // The owner may continue, slowly, even if others guess behind the same address: new-places.ts refuses those.
  if (isKnownPlace(facts))
    return short.count < limit
      ? decision("pass", "below_limit", { evidence: short })
      : decision("delay", "known_address", { evidence: short });
  const slow = slowLimits(policy)
    .map((one) => ({ ...one, count: failuresWithin(facts.failures, one.windowMs, now).length + 1 }))
    .find((one) => one.count >= one.limit);
  if (slow === undefined && short.count < limit) return decision("pass", "below_limit", { evidence: short });
  const evidence = slow ?? short;
  if (event.withoutBan === "bans_used_up") return decision("refuse", "bans_used_up", { evidence });
  const offence =
    slow === undefined
      ? ({ code: "login_failures", evidence } as const)
      : ({ code: "slow_guessing", evidence, atLeastMs: DAY_MS } as const);
  if (event.withoutBan === "unwritable") return decision("refuse", offence.code, { evidence });
  const due = nextBan(policy, facts, offence, now);
  const isSpared = facts.protection === null && facts.offences === 0 && facts.isWanted;
  if (!isSpared) return decision("refuse", offence.code, { evidence, changes: [due] });
  // The server's mail is wanted, so from now on it is limited like any address that is never banned.
  const changes = spare(facts, due.ban, "honest_network", now);
  return decision("delay", "guessing_slowed", { evidence, changes });
}

/** A stale password counts once a week. */
function isRepeated({ failures }: Facts, { passwordHash }: LoginAttributes, now: Millis): boolean {
  return (
    passwordHash !== "" &&
    failuresWithin(failures, WEEK_MS, now).some((failure) => failure.passwordHash === passwordHash)
  );
}

/** Other addresses that are protected from bans are limited like strangers. */
function isExempt(facts: Facts): facts is Facts & { protection: "loopback" | "allow_listed" } {
  return facts.protection === "loopback" || facts.protection === "allow_listed";
}

/**
 * Slows down addresses that are never banned, because they could otherwise guess forever. Many honest users may be behind one (a webmail, a
 * proxy that hides its clients), so the limit is that of a known address.
 */
function slowedGuessing(policy: Policy, facts: Facts, count: number): Decision | null {
  const evidence = shortEvidence(policy, facts, count);
  return count < evidence.limit ? null : uncounted("delay", "guessing_slowed", { evidence });
}

/** When the next sign-in from here is delayed: later for an address that is never banned. */
function shortEvidence({ logins, knownFactor }: Policy, { protection }: Facts, count: number): Evidence {
  const limit = protection === null ? logins.failures : logins.failures * knownFactor;
  return { count, limit, windowMs: logins.windowMs, key: SETTING };
}

/** The administrator has no mailbox. */
function isAway({ logins }: Policy, { ip, accountNetworks }: Facts, { service, login }: LoginAttributes): boolean {
  return !isAdministrators(service, login) && isOutside(ip, logins.networks, accountNetworks);
}

/** Failures within the short window that no ban followed. */
function recentFailures({ logins }: Policy, { failures }: Facts, now: Millis): Facts["failures"] {
  return failuresWithin(failures, logins.windowMs, now).filter(isFresh);
}
