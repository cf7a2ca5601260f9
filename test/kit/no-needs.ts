import type { Alert } from "../../src/engine/alerts/ports.ts";
import type { HealthParts } from "../../src/engine/explain/health.ts";

/** Nothing but notices waits for the owner. */
export const NO_NEEDS = needsOf([]);

export function needsOf(alerts: readonly Alert[]): HealthParts["needs"] {
  return () => Promise.resolve({ alerts, held: [], isSuspended: () => false, checks: null });
}
