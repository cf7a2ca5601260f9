import { oneOf, type Read } from "./kinds/kind.ts";
import { domain, hostName, path } from "./kinds/texts.ts";
import { abuse } from "./schema/abuse.ts";
import { alerts } from "./schema/alerts.ts";
import { detection } from "./schema/detection.ts";
import { sending } from "./schema/limits.ts";
import { certificates, machine } from "./schema/machine.ts";
import { mail } from "./schema/mail.ts";
import { backup, exported, report, retention } from "./schema/upkeep.ts";
import { byDefault, optional, optionalList, type Setting } from "./setting.ts";

/** Every setting. The key is the path in `ghostinbox.toml`. */
export const schema = {
  domains: optionalList(domain, 1_000).says("Mail domains of this server; the first one names it.", {
    variable: "GHOSTINBOX_DOMAIN",
  }),
  hostname: optional(hostName).says(
    "Name of this server in its greeting, HELO and certificate; empty means `mail.` before the first domain.",
    { source: "RFC 5321 section 4.1.1.1" },
  ),
  profile: byDefault("standard", oneOf("standard", "small")).says(
    "Which defaults apply to settings that cost memory: `small` is for a machine with 512 MB (docs/small-machine.md). What you set yourself applies in either.",
  ),

  ...abuse,
  ...sending,
  ...mail,
  ...alerts,
  ...machine,
  ...backup,
  ...retention,
  ...report,
  ...detection,
  ...certificates,
  ...exported,
} as const satisfies Record<string, Setting<unknown>>;

export type SettingKey = keyof typeof schema;
export type Settings = {
  readonly [K in SettingKey]: (typeof schema)[K] extends Setting<infer T> ? T : never;
};

export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(schema, key);
}

export function settingKeys(): readonly SettingKey[] {
  return Object.keys(schema).filter(isSettingKey);
}

/** The keys of these names, separated by blanks, in one section. Throws if one is not a setting. */
export function keysIn(section: string, names: string): readonly SettingKey[] {
  return names.split(" ").map((name) => {
    const key = `${section}.${name}`;
    if (!isSettingKey(key)) throw new Error(`${key} is not a setting`);
    return key;
  });
}

/** The setting without its particular type. */
export function settingOf(key: SettingKey): Setting<unknown> {
  return schema[key];
}

/** Reads a value that the program itself gives, as TOML would. Throws if the setting does not allow it. */
export function readOwn(key: SettingKey, written: unknown): Extract<Read<unknown>, { ok: true }> {
  const read = settingOf(key).kind.read(written);
  if (!read.ok) throw new Error(`the value of ${key} ${read.must}`);
  return read;
}

export function defaultOf(key: SettingKey): Extract<Read<unknown>, { ok: true }> {
  return readOwn(key, settingOf(key).byDefault);
}

/** `limits.mail.per_minute` is also `GHOSTINBOX_LIMITS__MAIL__PER_MINUTE`. No shell accepts a variable with a dash. */
export function variableOf(key: SettingKey): string {
  return settingOf(key).variable ?? `GHOSTINBOX_${key.replaceAll(".", "__").replaceAll("-", "_").toUpperCase()}`;
}

/** The TOML table of a key; empty for the top. */
export function sectionOf(key: SettingKey): string {
  return key.includes(".") ? key.slice(0, key.lastIndexOf(".")) : "";
}

/** Settings that name a file, such as a certificate or a password. */
export function fileSettings(): readonly SettingKey[] {
  return settingKeys().filter((key) => settingOf(key).kind.accepts.startsWith(path.accepts));
}

/** The key to encrypted mail, so that a stolen backup reveals no mail, and other programs' logs. */
const NOT_BACKED_UP: ReadonlySet<SettingKey> = new Set([
  "mailboxes.encryption_key",
  "detection.suricata.file",
  "detection.psad.file",
  "certificates.log",
]);

/** The files that settings name whose key starts with `start`, each once, for a backup. Absolute paths. */
export function namedFiles(settings: Settings, start = ""): readonly string[] {
  const stored = fileSettings().filter((key) => key.startsWith(start) && !NOT_BACKED_UP.has(key));
  const named = stored.map((key) => settings[key]);
  return [...new Set(named.filter((file) => typeof file === "string" && file !== ""))].map(String);
}
