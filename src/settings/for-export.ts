import { loadSettings, type Sources } from "./load.ts";
import type { Settings } from "./schema.ts";

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
export function settingsForExport(sources: Sources): string {
  return `${EXPORT_KEYS.map((key) => `${key} = ${sources[key].toml}`).join("\n")}\n`;
}

/** Reads such a file; a problem is one sentence. The environment was read when the file was written. */
export function readExportSettings(
  text: string,
): Readonly<{ ok: true; settings: ExportSettings }> | Readonly<{ ok: false; reason: string }> {
  const loaded = loadSettings(text, {});
  if (loaded.ok) return loaded;
  return { ok: false, reason: loaded.problems.map(({ says }) => says).join(" ") };
}
