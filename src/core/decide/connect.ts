import type { Connect } from "../events/connection.ts";
import { isProvider } from "../net/provider.ts";
import type { Millis } from "../time.ts";
import { nextBan } from "./ban-ladder.ts";
import { type Decision, decision } from "./decision.ts";
import type { Facts, Offender } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { isShared } from "./shared.ts";
import { exceeded } from "./windows.ts";

export type ConnectFacts = Offender &
  Pick<Facts, "protection" | "ban" | "connections" | "known" | "knownAccounts" | "isWanted">;

/** A connection to port 25, 465 or 587. The first rule that applies is the reason. */
export function decideConnect(policy: Policy, facts: ConnectFacts, event: Connect, now: Millis): Decision {
  if (facts.protection !== null) return decision("pass", facts.protection, { counted: false });
  if (facts.ban !== null) return decision("refuse", "banned", { counted: false });

  const evidence = exceeded(policy.connections, facts.connections, now);
  if (evidence === null) return decision("pass", "below_limit");
  if (isProvider(policy, event.clientName)) return decision("defer", "provider_busy", { evidence, counted: false });

  const patienceOver = exceeded(policy.connections, facts.connections, now, policy.knownFactor) !== null;
  // An infected machine uses port 25; the owners beside it send on 465 and 587.
  if (facts.known && (!patienceOver || isShared(facts)))
    return decision(event.service === "smtp" ? "defer" : "pass", "known_address", { evidence });
  if (facts.offences === 0 && !patienceOver && facts.isWanted) return decision("defer", "wanted_busy", { evidence });
  return decision("refuse", "connection_limit", {
    evidence,
    changes: [nextBan(policy, facts, { code: "connection_limit", evidence }, now)],
  });
}
