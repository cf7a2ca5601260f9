import type { Reason } from "../events/reasons.ts";
import type { JailReported } from "../events/report.ts";
import type { Millis } from "../time.ts";
import { nextBan } from "./ban-ladder.ts";
import { type Decision, type Evidence, uncounted } from "./decision.ts";
import type { Facts } from "./facts.ts";
import { isAboutLogins, isDetector, isStockJail } from "./jails.ts";
import { isProvider, type Policy } from "./policy.ts";

/**
 * A report is evidence, not a verdict. Offences that were decided on before, live or by an earlier report, become part of the report's
 * record and never escalate. An address that must not or need not be banned is spared, and that is recorded too.
 */
export function decideReport(policy: Policy, facts: Facts, event: JailReported, now: Millis): Decision {
  const { limit, windowMs } = event;
  const count = isSentence(policy, event) ? event.failures : facts.priorReports.unjudged.length;
  let evidence: Evidence = { count, limit, windowMs, key: null };
  const note = { type: "NOTE_REPORT", prefix: facts.prefix, jail: event.jail, at: event.lastAt } as const;
  const noted = (reason: Reason, unjudged: readonly Millis[] = []): Decision =>
    uncounted("pass", reason, { evidence, changes: [{ ...note, unjudged }] });

  if (facts.protection !== null) return noted(facts.protection);
  if (facts.ban !== null) return noted("banned");
  if (facts.priorReports.upTo !== null && event.lastAt <= facts.priorReports.upTo)
    return noted("report_seen", facts.priorReports.unjudged);
  // The report waited while the guard was down: its ban would be over by now.
  if (event.lastAt < now - windowMs - event.banMs) return noted("report_late");
  if (event.jail === "ids:psad" && !policy.scansBan) return noted("forgeable");
  if (count < limit) return noted(isDetector(event.jail) ? "below_limit" : "judged_live", facts.priorReports.unjudged);
  if (!isDetector(event.jail)) {
    const settings = isStockJail(event.jail) ? `jails.${event.jail}` : "own_filters";
    evidence = { ...evidence, key: `fail2ban.${settings}.maxretry` };
  }
  // The engine's own limits still apply to known addresses and providers, with more patience.
  if (facts.isKnown) return noted("known_address");
  if (isProvider(policy, event.clientName)) return noted("provider_busy");
  if (isAboutLogins(event.jail) && isOnePassword(facts)) return noted("repeated_password");
  // The server relays for its users, so it is not banned for a bad one among them.
  if (!isDetector(event.jail) && facts.offences === 0 && facts.isWanted)
    return noted(isAboutLogins(event.jail) ? "honest_network" : "wanted_busy");

  const jail = { name: event.jail, banMs: event.banMs };
  const code = isDetector(event.jail) ? "intrusion_report" : "jail_report";
  return uncounted("refuse", code, {
    evidence,
    changes: [{ ...note, unjudged: [] }, nextBan(policy, facts, { code, evidence, jail }, now)],
  });
}

/**
 * Whether all offences that the jail counted matter. An owner who writes a filter says that they do. A detector counts nothing, because it
 * reports each alert separately.
 */
function isSentence({ jailSentences }: Policy, { jail }: JailReported): boolean {
  if (isDetector(jail)) return false;
  return jailSentences === "all" || !isStockJail(jail);
}

/**
 * Whether this may be a device with a stale password, or an owner who is refused without a check. The guard cannot distinguish attempts
 * that it did not see, so it assumes that they repeat the password it saw at that time.
 */
function isOnePassword({ priorReports: { passwords } }: Facts): boolean {
  return passwords.filter((password) => password !== "").length === 1;
}
