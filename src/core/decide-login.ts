import { nextBan } from "./ban-ladder.ts";
import { type Decision, decision, type Evidence } from "./decision.ts";
import type { LoginAsked, LoginFailed, LoginSucceeded } from "./event.ts";
import type { Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";
import type { Millis } from "./time.ts";

/** Before the password is verified. A pass leaves no row: the report that follows will. */
export function decideLoginAsked(policy: Policy, facts: Facts, _event: LoginAsked, now: Millis): Decision {
  if (facts.protection !== null) return decision("pass", facts.protection, { counted: false, recorded: false });
  if (facts.ban !== null) return decision("refuse", "banned", { counted: false });
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

/** Counts different passwords: a device that repeats a stale one is no attacker. */
export function decideLoginFailed(policy: Policy, facts: Facts, event: LoginFailed, now: Millis): Decision {
  if (facts.protection !== null) return decision("pass", facts.protection, { counted: false });
  if (facts.ban !== null) return decision("refuse", "banned", { counted: false });

  const { failures: limit, windowMs } = policy.logins;
  const recent = recentFailures(facts, windowMs, now);
  const evidence: Evidence = { count: recent.length + 1, limit, windowMs };
  if (event.passwordHash !== "" && recent.some((failure) => failure.passwordHash === event.passwordHash))
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

function recentFailures(facts: Facts, windowMs: number, now: Millis): Facts["failures"] {
  const start = now - windowMs;
  return facts.failures.filter((failure) => failure.at > start);
}
