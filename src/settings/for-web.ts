import { type Loaded, loadSettings, type Sources } from "./load.ts";
import type { Settings, schema } from "./schema.ts";

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

/** Under which the dashboard is reached, with all below them; the first names the server. */
export function dashboardNames(settings: Pick<Settings, "hostname" | "domains" | "http.names">): readonly string[] {
  return [settings.hostname, ...settings.domains, ...settings["http.names"]];
}

/** A file of only these settings, whether they came from `ghostinbox.toml` or the environment. */
export function settingsForWeb(sources: Sources): string {
  return `${WEB_KEYS.map((key) => `${key} = ${sources[key].toml}`).join("\n")}\n`;
}

export type WebSettingsRead = Readonly<{ ok: true; settings: WebSettings }> | Extract<Loaded, { ok: false }>;

/** Reads such a file. The environment is ignored: it was read when the file was written. */
export function readWebSettings(text: string): WebSettingsRead {
  const loaded = loadSettings(text, {});
  return loaded.ok ? { ok: true, settings: loaded.settings } : loaded;
}
