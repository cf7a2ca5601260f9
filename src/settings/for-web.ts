import { type Loaded, loadSettings, type Sources } from "./load.ts";
import type { Settings, schema } from "./schema.ts";

type Secret = {
  [K in keyof typeof schema]: (typeof schema)[K] extends { readonly secret: true } ? K : never;
}[keyof typeof schema];

/**
 * What the web reads of the settings; it cannot read their file. No secret can stand here, by its type: whoever takes
 * the web over learns nothing of where alerts go or how other servers are signed in to.
 */
export const WEB_KEYS = [
  "bans.ipv6_prefix",
  "bans.memory",
  "domains",
  "hostname",
  "http.address",
  "http.names",
  "http.trusted_proxies",
  "ports.http",
] as const satisfies readonly Exclude<keyof Settings, Secret>[];

export type WebSettings = Pick<Settings, (typeof WEB_KEYS)[number]>;

/** A file of just these, whether they stood in `ghostinbox.toml` or in the environment. */
export function settingsForWeb(sources: Sources): string {
  return `${WEB_KEYS.map((key) => `${key} = ${sources[key].toml}`).join("\n")}\n`;
}

export type WebSettingsRead = Readonly<{ ok: true; settings: WebSettings }> | Extract<Loaded, { ok: false }>;

/** Reads such a file. The environment says nothing: it was read when the file was written. */
export function readWebSettings(text: string): WebSettingsRead {
  const loaded = loadSettings(text, {});
  return loaded.ok ? { ok: true, settings: loaded.settings } : loaded;
}
