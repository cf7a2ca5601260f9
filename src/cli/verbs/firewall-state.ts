import { beyond, isNothing, type Opening, type StrictState } from "../../core/firewall/strict.ts";
import { formatDuration, SECOND_MS } from "../../core/time.ts";
import { isStrict } from "../../settings/is-strict.ts";
import type { Settings } from "../../settings/schema.ts";
import { parseStrict } from "../../wire/kernel/nft-strict.ts";
import { PROGRAM } from "../call.ts";
import { some } from "../check/finding.ts";
import { oneLine } from "../print/text.ts";
import { shownOpening } from "./begin-strict.ts";

/**
 * What the kernel lets in. `bans`: everything but what is banned; `trial`: waits for a confirmation; `confirmed`: as it shall be;
 * `unconfirmed`: it shall be strict, but was not confirmed; `broken`: its table is not as it was made; `unknown`: it
 * cannot be read.
 */
export type FirewallState = Readonly<{
  state: "off" | "bans" | "trial" | "confirmed" | "unconfirmed" | "broken" | "unknown";
  /** Null: every port. */
  open: Opening | null;
  /** Until the kernel takes a trial back. */
  waitsS: number | null;
  /** Why it is broken. */
  faults: readonly string[];
}>;

type StrictSettings = Pick<Settings, "firewall.enabled" | "firewall.mode">;

/** `listing`: what nft(8) prints of the table, empty if there is none; null if it cannot be read. */
export function firewallState(
  settings: StrictSettings,
  { confirmed }: StrictState,
  listing: string | null,
): FirewallState {
  const none = { open: null, waitsS: null, faults: [] };
  if (listing === null) return { ...none, state: "unknown" };
  const found = parseStrict(listing);
  if (found === null && !isStrict(settings)) return { ...none, state: settings["firewall.enabled"] ? "bans" : "off" };
  if (found === null && confirmed === null) return { ...none, state: "unconfirmed" };
  if (found === null) return { ...none, state: "broken", faults: ["the table is gone"] };
  const { opening: open, waitsS, faults } = found;
  if (faults.length > 0) return { state: "broken", open, waitsS, faults };
  if (waitsS !== null) return { state: "trial", open, waitsS, faults };
  if (open === null || confirmed === null) return { state: "unconfirmed", open, waitsS, faults };
  const differs = !isNothing(beyond(open, confirmed)) || !isNothing(beyond(confirmed, open));
  return differs
    ? { state: "broken", open, waitsS, faults: ["it lets in something else than was confirmed"] }
    : { state: "confirmed", open, waitsS, faults };
}

/** In one line. */
export function shownState({ state, open, waitsS, faults }: FirewallState): string {
  const lets = open === null ? "every port is open" : `open: ${shownOpening(open)}`;
  switch (state) {
    case "off":
      return "Firewall: off (firewall.enabled); every port is open.";
    case "bans":
      return "Firewall: mode bans; banned addresses are dropped, and every port is open to others.";
    case "trial":
      return `Firewall: mode strict, WAITS FOR A CONFIRMATION for another ${formatDuration((waitsS ?? 0) * SECOND_MS)} (\`${PROGRAM} firewall confirm\` from a new session); ${lets}.`;
    case "confirmed":
      return `Firewall: mode strict; ${lets}.`;
    case "unconfirmed":
      return `Firewall: mode strict is set but NOT IN FORCE, because it was not confirmed (\`${PROGRAM} firewall try\`); ${lets}.`;
    case "broken":
      return `Firewall: its table inet ghostinbox_strict was changed (${oneLine(some(faults))}); ${lets}.`;
    case "unknown":
      return "Firewall: which ports are open cannot be read: that takes root, nft and CAP_NET_ADMIN.";
  }
}

/** For programs. */
export function stateJson({ state, open, waitsS, faults }: FirewallState) {
  return { state, open: open?.doors ?? null, trusted: open?.trusted ?? [], confirmWithinSeconds: waitsS, faults };
}
