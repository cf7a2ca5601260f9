import type { Policy } from "../decide/policy.ts";

/** Whether a forward-confirmed host name belongs to a large provider. */
export function isProvider(policy: Policy, clientName: string | null): boolean {
  if (clientName === null) return false;
  const name = clientName.toLowerCase();
  return policy.providers.some((domain) => name === domain || name.endsWith(`.${domain}`));
}
