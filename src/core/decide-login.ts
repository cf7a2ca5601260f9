import { nextBan } from "./ban-ladder.ts";
import { type Decision, decision, type Evidence } from "./decision.ts";
import type { LoginAsked, LoginFacts, LoginFailed, LoginSucceeded } from "./event.ts";
import type { Facts } from "./facts.ts";
import { isOutside } from "./login-networks.ts";
import type { Policy } from "./policy.ts";
import type { Millis } from "./time.ts";

/** Before the password is verified. A pass leaves no row: the report that follows will. */
export function decideLoginAsked(policy: Policy, facts: Facts, event: LoginAsked, now: Millis): Decision {
  if (facts.protection === null && facts.ban !== null) return decision("refuse", "banned", { counted: false });
  // Where accounts may sign in holds for the allow list too, as it does for Dovecot.
  if (isAway(policy, facts, event)) return decision("refuse", "outside_networks", { counted: false });
  if (facts.protection !== null) {
    const count = recentFailures(facts, policy.logins.windowMs, now).length;
    return slowedGuessing(policy, count) ?? decision("pass", facts.protection, { counted: false, recorded: false });
  }
  const { failures: limit, windowMs } = policy.logins;
  const count = recentFailures(facts, windowMs, now).length;
  if (facts.known && count >= limit)
    return decision("delay", "known_address", { evidence: { count, limit, windowMs }, counted: false });
  return decision("pass", "below_limit", { counted: false, recorded: false });
}

export function decideLoginSucceeded(facts: Facts, event: LoginSucceeded): Decision {
  if (facts.protection !== null || event.service === "dashboard") return decision("pass", "signed_in");
  return decision("pass", "signed_in", {
    changes: [{ type: "KNOW", prefix: facts.subject, account: event.login }],
  });
}

/**
 * Counts different passwords: a device that repeats a stale one is no attacker. Nor is one that signs in from outside the networks:
 * Dovecot reports a right password there as a failure too.
 */
export function decideLoginFailed(policy: Policy, facts: Facts, event: LoginFailed, now: Millis): Decision {
  const away = isAway(policy, facts, event);
  const { failures: limit, windowMs } = policy.logins;
  const recent = recentFailures(facts, windowMs, now);
  const repeated = event.passwordHash !== "" && recent.some(({ passwordHash }) => passwordHash === event.passwordHash);
  if (facts.protection !== null) {
    if (away || repeated) return decision("pass", facts.protection, { counted: false });
    const slowed = slowedGuessing(policy, recent.length + 1);
    return slowed === null ? decision("pass", facts.protection) : { ...slowed, counted: true };
  }
  if (facts.ban !== null) return decision("refuse", "banned", { counted: false });
  if (away) return decision("refuse", "outside_networks", { counted: false });

  const evidence: Evidence = { count: recent.length + 1, limit, windowMs };
  if (repeated)
    return decision("pass", "repeated_password", {
      evidence: { ...evidence, count: recent.length },
      counted: false,
    });
  if (evidence.count < limit) return decision("pass", "below_limit", { evidence });
  if (facts.known && evidence.count < limit * policy.knownFactor)
    return decision("delay", "known_address", { evidence });
  return decision("refuse", "login_failures", {
    evidence,
    changes: [nextBan(policy, facts, { code: "login_failures", evidence }, now)],
  });
}

/**
 * For what is never banned: whoever guesses from there would otherwise go on for ever. Many honest users may stand
 * behind it (a webmail, a proxy that does not say whom it speaks for), so it takes as much as a known address may do.
 */
function slowedGuessing({ logins, knownFactor }: Policy, count: number): Decision | null {
  const evidence: Evidence = { count, limit: logins.failures * knownFactor, windowMs: logins.windowMs };
  return count < evidence.limit ? null : decision("delay", "guessing_slowed", { evidence, counted: false });
}

/** The dashboard is no mailbox. */
function isAway({ logins }: Policy, { ip, accountNetworks }: Facts, { service }: LoginFacts): boolean {
  return service !== "dashboard" && isOutside(ip, logins.networks, accountNetworks);
}

function recentFailures(facts: Facts, windowMs: number, now: Millis): Facts["failures"] {
  const start = now - windowMs;
  return facts.failures.filter((failure) => failure.at > start);
}
