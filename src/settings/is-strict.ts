import type { Settings } from "./schema.ts";

/** Whether all ports but the chosen ones are closed (docs/firewall.md). */
export function isStrict(settings: Pick<Settings, "firewall.enabled" | "firewall.mode">): boolean {
  return settings["firewall.enabled"] && settings["firewall.mode"] === "strict";
}
