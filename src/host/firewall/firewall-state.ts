import type { FirewallReport } from "../../admin/declare/reports.ts";
import { beyond, isNothing, type StrictState } from "../../core/firewall/strict.ts";
import { type FirewallSettings, isStrict } from "../../settings/ports.ts";
import { parseStrict, type StrictListing } from "./strict-rules.ts";

/** What the kernel accepts, and the state that the report gives it. */
export type FirewallState = StrictListing & Readonly<{ state: FirewallReport["state"] }>;

/** `listing`: the output of nft(8) for the table, empty if there is none; null if it cannot be read. */
export function firewallState(
  settings: FirewallSettings,
  { confirmed }: StrictState,
  listing: string | null,
): FirewallState {
  const none = { open: null, remainingS: null, faults: [] };
  if (listing === null) return { ...none, state: "unknown" };
  const found = parseStrict(listing);
  if (found === null && !isStrict(settings)) return { ...none, state: settings["firewall.enabled"] ? "bans" : "off" };
  if (found === null && confirmed === null) return { ...none, state: "unconfirmed" };
  if (found === null) return { ...none, state: "broken", faults: ["the table is gone"] };
  const { open, remainingS, faults } = found;
  if (faults.length > 0) return { ...found, state: "broken" };
  if (remainingS !== null) return { ...found, state: "trial" };
  if (open === null || confirmed === null) return { ...found, state: "unconfirmed" };
  if (isNothing(beyond(open, confirmed)) && isNothing(beyond(confirmed, open))) return { ...found, state: "confirmed" };
  return { ...found, state: "broken", faults: ["it accepts other connections than those confirmed"] };
}

/** The state in the form that programs get. */
export function stateJson({ state, open, remainingS, faults }: FirewallState): FirewallReport {
  return { state, open: open?.doors ?? null, trusted: open?.trusted ?? [], confirmWithinSeconds: remainingS, faults };
}
