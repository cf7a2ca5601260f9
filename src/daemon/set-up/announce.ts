import { DEFAULT_DATA_DIRECTORY, type Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { overridesOf } from "../../settings/show.ts";
import { portsOf, type ServerPort } from "./ports.ts";
import type { ValidSettings } from "./settings-file.ts";

/** Used only between our own programs. */
const INSIDE: readonly ServerPort["setting"][] = ["ports.login_policy", "dns.address"];

/** What became of the variables of this start: `written` went into the file, others override it. */
export function settingsNews(
  layout: Layout,
  { sources }: ValidSettings,
  written: readonly string[],
): readonly string[] {
  const handedOver =
    written.length === 0
      ? []
      : [
          `${layout.settings} has the mail domains now, and decides from now on: later starts need no ${written.join(", ")}.`,
        ];
  return [...handedOver, ...overridesOf(sources).map(({ says }) => `Note: ${says}`)];
}

/** What listens where, and what to type next. */
export function printRunning(layout: Layout, settings: Settings, adminPassword: string | null): void {
  console.log(runningText(layout, settings, adminPassword));
}

export function runningText(layout: Layout, settings: Settings, adminPassword: string | null): string {
  const serverPorts = portsOf(settings)
    .filter(({ setting }) => !INSIDE.includes(setting))
    .map(
      ({ port, address, says }) => `  ${String(port).padEnd(6)} ${says}${address === null ? "" : `, on ${address}`}`,
    );
  const command = `${layout.data === DEFAULT_DATA_DIRECTORY ? "" : `GHOSTINBOX_DATA=${layout.data} `}./ghostinbox`;
  const password =
    adminPassword === null ? [] : ["", `Password of the dashboard, shown only this once:  ${adminPassword}`];
  return [
    "",
    `GhostInbox runs as ${settings.hostname}, for ${settings.domains.join(", ")}.`,
    "",
    ...serverPorts,
    "",
    `  data   ${layout.data}`,
    `  mail   ${layout.mailLog}`,
    ...password,
    "",
    "Next, in another terminal:",
    `  ${command} account add you@${settings.domains[0] ?? "example.org"}`,
    `  ${command} status`,
    `  ${command} events --follow`,
    "",
    `If this terminal closes, the server keeps running: ${command} stop ends it.`,
    "Ctrl-C stops everything.",
  ].join("\n");
}
