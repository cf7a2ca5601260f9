import { randomUUID } from "node:crypto";
import { MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Names } from "../network-ports.ts";
import type { Clock, Notices } from "../ports.ts";

type DnsWatchParts = Readonly<{ names: Names; domain: () => string | undefined; notices: Notices; clock: Clock }>;

const AGAIN_MS = 10 * SECOND_MS;
/** Failures in a row after which it is reported: nearly a minute, because a router may restart. */
const FAILURES_REPORTED = 6;

/**
 * Asks the DNS for a name below our first domain that no one has asked for, so that no cache has it. The probe of the resolver
 * (mail/dns/resolver.ts) sees only whether it runs.
 */
export function createDnsWatch({ names, domain, notices, clock }: DnsWatchParts) {
  let askedAt: Millis | null = null;
  let failures = 0;
  return {
    /** Call it every few seconds. The question ends within seconds, so two never overlap. */
    look: async (): Promise<void> => {
      const zone = domain();
      const waitMs = failures === 0 ? MINUTE_MS : AGAIN_MS;
      const isDue = askedAt === null || Math.abs(clock.now() - askedAt) >= waitMs;
      if (zone === undefined || !isDue) return;
      askedAt = clock.now();
      const answer = await names.v4Addresses(`${randomUUID().slice(0, 8)}.${zone}`);
      // The notice `resolver_silent` covers it.
      if (answer.type === "failed" && answer.why === "ECONNREFUSED") return;
      failures = answer.type === "failed" ? failures + 1 : 0;
      if (answer.type !== "failed") notices.set("dns_failing", null);
      else if (failures >= FAILURES_REPORTED) notices.set("dns_failing", `names of ${zone}: ${answer.why}`);
    },
  };
}
