import { givenUp } from "../../../settings/profile.ts";
import type { CommandCall } from "../../call.ts";
import { settingsOf, type ValidSettings } from "./server-settings.ts";

/** The profile and what it gives up, for `status`; null for the usual one, or if the settings cannot be read. */
export function profileJson(call: Pick<CommandCall, "layout" | "env">) {
  const loaded = settingsOf(call);
  return loaded.ok ? profileOf(loaded) : null;
}

function profileOf({ settings: { profile }, sources }: ValidSettings) {
  return profile === "standard" ? null : { name: profile, givesUp: givenUp(profile, sources) };
}

export function profileLines(shown: ReturnType<typeof profileJson>): readonly string[] {
  if (shown === null) return [];
  return [`Profile ${shown.name} (docs/small-machine.md):`, ...shown.givesUp.map((line) => `  ${line}`)];
}
