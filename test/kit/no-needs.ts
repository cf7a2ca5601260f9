import type { Alert } from "../../src/guard/alerts/ports.ts";
import type { HealthParts } from "../../src/guard/explain/health.ts";

/** Nothing needs the owner's attention. */
export const NO_NEEDS = needsOf([]);

export function needsOf(alerts: readonly Alert[]): HealthParts["needs"] {
  return () => Promise.resolve({ alerts, held: [], isSuspended: () => false, checks: null });
}
