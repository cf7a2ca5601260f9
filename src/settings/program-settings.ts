import { type SettingsRead, type Sources, settingsOrReason } from "./load.ts";
import { keysIn, type SettingKey, type Settings, type schema } from "./schema.ts";

type Secret = {
  [K in keyof typeof schema]: (typeof schema)[K] extends { readonly secret: true } ? K : never;
}[keyof typeof schema];

/**
 * The settings for the web, which cannot read the settings file. Their type contains no secret: an attacker who takes
 * over the web learns neither where alerts go nor how to sign in to other servers.
 */
export const WEB_KEYS = [
  "bans.ipv6_prefix",
  "bans.memory",
  "domains",
  "hostname",
  "http.address",
  "http.names",
  "http.proxy_users",
  "http.trusted_proxies",
  "ports.http",
] as const satisfies readonly Exclude<keyof Settings, Secret>[];

export type WebSettings = Pick<Settings, (typeof WEB_KEYS)[number]>;

/** Names under which the dashboard is reached, including all names below them. The first is the server's. */
export function dashboardNames(settings: Pick<Settings, "hostname" | "domains" | "http.names">): readonly string[] {
  return [settings.hostname, ...settings.domains, ...settings["http.names"]];
}

/** The settings for the exporter, which runs as its own user and cannot read the settings file. None is a secret. */
export const EXPORT_KEYS = [
  "domains",
  "hostname",
  "export.syslog.enabled",
  "export.syslog.host",
  "export.syslog.port",
  "export.syslog.protocol",
  "export.syslog.ca",
  "export.syslog.cert",
  "export.syslog.key",
] as const satisfies readonly (keyof Settings)[];

export type ExportSettings = Pick<Settings, (typeof EXPORT_KEYS)[number]>;

/** A file of only these settings, whether they came from `ghostinbox.toml` or the environment. */
export function settingsFile(keys: readonly SettingKey[], sources: Sources): string {
  return `${keys.map((key) => `${key} = ${sources[key].toml}`).join("\n")}\n`;
}

/**
 * Reads such a file; other settings have their defaults, so conflicts with them are not real. The environment was read when the file was
 * written.
 */
export function readSettingsFile(text: string): SettingsRead {
  return settingsOrReason(text, {}, () => []);
}

type Program = "guard" | "web";

/** What a program reads only when it starts. If the value changes, the program must be restarted. */
const READ_AT_START: Readonly<Record<Program, readonly SettingKey[]>> = {
  guard: [
    ...keysIn("detection.psad", "bantime danger_level file findtime maxretry"),
    ...keysIn("detection.suricata", "bantime file findtime maxretry severity"),
    ...keysIn("events", "max_age max_rows max_size"),
    "firewall.enabled",
    "http.trusted_proxies",
    ...keysIn("ports", "login_policy proxied_imaps proxied_smtp proxied_submission proxied_submissions sieve_mail"),
    ...keysIn("proxy", "networks user"),
  ],
  web: WEB_KEYS,
};

/** Settings that take effect at the next start of the server, because they decide which services exist. */
const NEXT_START = [
  "export.syslog.enabled",
  "fail2ban.enabled",
  "spam.enabled",
  "spam.processes",
] as const satisfies readonly (keyof Settings)[];

/** As text in TOML; undefined: unknown. */
export type SinceStart = Readonly<Record<(typeof NEXT_START)[number], string | undefined>>;

/** Returns the settings whose new value waits for the next start, with the value in force. */
export function notStartedWith(sources: Sources, since: SinceStart): Readonly<Record<string, string>> {
  const waiting: Record<string, string> = {};
  for (const key of NEXT_START) {
    const value = since[key];
    if (value !== undefined && value !== sources[key].toml) waiting[key] = value;
  }
  return waiting;
}

/** The changed keys that wait for the next start of the server. */
export function waitingForStart(changed: readonly string[]): readonly string[] {
  return NEXT_START.filter((key) => changed.includes(key));
}

/** The programs for which one of these keys changed; the guard first, because the web asks it. */
export function programsToRestart(changed: readonly string[]): readonly Program[] {
  const programs: readonly Program[] = ["guard", "web"];
  return programs.filter((program) => READ_AT_START[program].some((key) => changed.includes(key)));
}
