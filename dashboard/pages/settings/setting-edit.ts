import type { SettingsAnswer } from "../../../src/admin/settings.ts";

/** How settings are shown and edited. Values are sent both ways as JSON, which for them is the same as the file's text. */

export type Setting = SettingsAnswer["items"][number];

/** What the reader wrote, by setting; null restores the default. */
export type Edits = Readonly<Record<string, string | null>>;
export type Value = string | number | boolean | null | readonly (string | number)[];

/** `limits` of `limits.mail.per_minute`; `general` at the top. */
export function groupOf(key: string): string {
  return key.includes(".") ? key.slice(0, key.indexOf(".")) : "general";
}

export function fieldText(toml: string): string {
  const value = parsed(toml);
  return Array.isArray(value) ? value.map(String).join(", ") : typeof value === "string" ? value : toml;
}

/** The value of a field for the server, which judges it. */
export function valueOf({ form }: Pick<Setting, "form">, text: string): Value {
  const written = text.trim();
  if (form.type === "switch") return written === "true";
  if (form.type === "list") {
    const items = written.split(",").map((one) => one.trim());
    return items.filter((one) => one !== "").map((one) => (form.of === "number" ? wholeOr(one) : one));
  }
  if (form.type === "number") return wholeOr(written);
  return form.type === "decimal" ? decimalOr(written) : written;
}

/** Adds an edit. A field with the server's value is not an edit. */
export function withEdit(edits: Edits, setting: Setting, text: string | null): Edits {
  const { [setting.key]: _, ...others } = edits;
  const isAsBefore = text === null ? setting.from !== "file" : text.trim() === fieldText(setting.value);
  return isAsBefore ? others : { ...others, [setting.key]: text };
}

export function changesOf(edits: Edits, settings: readonly Setting[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(
    settings.flatMap((setting) => {
      const text = edits[setting.key];
      return text === undefined ? [] : [[setting.key, text === null ? null : valueOf(setting, text)]];
    }),
  );
}

/** The settings of the group, or of any group if their name or sentence contains all of the words. */
export function findSettings(settings: readonly Setting[], group: string, text: string): readonly Setting[] {
  const words = text.toLowerCase().match(/\S+/g) ?? [];
  if (words.length === 0) return settings.filter(({ key }) => groupOf(key) === group);
  return settings.filter(({ key, says }) => words.every((word) => `${key} ${says}`.toLowerCase().includes(word)));
}

function wholeOr(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

/** A German phone's keyboard may offer only a comma. */
function decimalOr(text: string): number | string {
  return /^-?\d+([.,]\d+)?$/.test(text) ? Number(text.replace(",", ".")) : text;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
