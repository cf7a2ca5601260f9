import type { Policy } from "../decide/policy.ts";

/** Whether a forward-confirmed host name belongs to a large provider. */
export function isProvider(policy: Policy, clientName: string | null): boolean {
  return isWithin(policy.providers, clientName);
}

/** Whether a forward-confirmed host name is one of the domains, or below one. */
export function isWithin(domains: readonly string[], clientName: string | null): boolean {
  const name = clientName?.toLowerCase();
  return name !== undefined && domains.some((domain) => name === domain || name.endsWith(`.${domain}`));
}
