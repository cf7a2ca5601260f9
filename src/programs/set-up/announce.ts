import { hostname } from "node:os";
import { IS_IMAGE } from "../../host/running/checkout.ts";
import { portsOf, type ServerPort } from "../../host/running/ports.ts";
import { commandFor } from "../../host/running/server-commands.ts";
import { WRITTEN_FIRST } from "../../settings/first-variables.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Sources, ValidSettings } from "../../settings/load.ts";
import { givenUp } from "../../settings/profile.ts";
import type { Settings } from "../../settings/schema.ts";
import { MB } from "../../settings/setting.ts";
import { overridesOf } from "../../settings/show.ts";

/** Used only between our own programs. */
const INSIDE: readonly ServerPort["setting"][] = ["ports.login_policy", "ports.sieve_mail", "dns.address"];

/** What the variables of this start do: the file has or replaces those of `written`, others override it. `first`: before that. */
export function settingsNotes(
  layout: Layout,
  { sources }: ValidSettings,
  written: readonly string[],
  first: Sources,
): readonly string[] {
  const handedOver =
    written.length === 0
      ? []
      : [
          `${layout.settings} now contains the mail domains and applies from here on: later starts do not need ${written.join(", ")}.`,
        ];
  const ignored = WRITTEN_FIRST.flatMap((key) => {
    const [was, is] = [first[key], sources[key].toml];
    if (was.from !== "env" || !written.includes(was.variable) || was.toml === is) return [];
    return `Note: ${was.variable} is ignored, because the restored ghostinbox.toml says otherwise: ${key} is ${is}, not ${was.toml}.`;
  });
  return [
    ...handedOver,
    ...ignored,
    ...overridesOf(sources).map(
      ({ says, variable }) => `Note: ${says} Change that line too, because starts without ${variable} use it.`,
    ),
  ];
}

/** A machine that is sold with 1 GB has somewhat less: its kernel keeps some. Bytes. */
const ENOUGH = 900 * MB;

/** What the small profile gives up, or a suggestion to use it if memory is scarce. */
export function memoryNotes(
  { settings: { profile }, sources }: Pick<ValidSettings, "settings" | "sources">,
  memoryBytes: number,
): readonly string[] {
  const costs = givenUp(profile, sources);
  if (profile === "small") return [`Profile small (docs/small-machine.md). ${costs.join(" ")}`.trimEnd()];
  if (memoryBytes >= ENOUGH) return [];
  const has = `This machine has ${Math.floor(memoryBytes / MB)} MB of memory, and GhostInbox needs 1 GB`;
  return [`Note: ${has}: with profile = "small" in ghostinbox.toml it runs in 512 MB (docs/small-machine.md).`];
}

/** What listens where, and what to type next. Docker keeps a container's output, including that of its first start. */
export function runningText(
  layout: Layout,
  settings: Settings,
  adminPassword: string | null,
  isImage = IS_IMAGE,
): string {
  const serverPorts = portsOf(settings)
    .filter(({ setting }) => !INSIDE.includes(setting))
    .map(
      ({ port, address, says }) => `  ${String(port).padEnd(6)} ${says}${address === null ? "" : `, on ${address}`}`,
    );
  const command = programFor(layout);
  const shown = isImage ? "which this log keeps (`ghostinbox admin passwd` sets another)" : "shown only once";
  const password = adminPassword === null ? [] : ["", `Password of the dashboard, ${shown}:  ${adminPassword}`];
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
    ...(IS_IMAGE ? [] : [`If this terminal closes, the server keeps running: ${command} stop ends it.`]),
    "Ctrl-C stops everything.",
  ].join("\n");
}

/** Docker accepts the id of a container as its name, and also makes it the name of the machine. */
function programFor(layout: Layout): string {
  if (IS_IMAGE) return `docker exec -it ${/^[0-9a-f]{12}$/.test(hostname()) ? hostname() : "CONTAINER"} ghostinbox`;
  return commandFor(layout, "./ghostinbox");
}
