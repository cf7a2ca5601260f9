import { formatDuration, SECOND_MS } from "../../../core/time.ts";
import type { FirewallState } from "../../../daemon/firewall/firewall-state.ts";
import { PROGRAM } from "../../call.ts";
import { some } from "../../check/finding.ts";
import { oneLine } from "../../print/text.ts";
import { shownOpening } from "./begin-strict.ts";

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
