import { createHash } from "node:crypto";
import type { FileChanged } from "../../../settings/change-file.ts";
import { type SettingKey, settingKeys } from "../../../settings/schema.ts";
import { isHiddenFromWeb } from "../../../settings/web-changes.ts";
import type { ChangedValue } from "../../../wire/control/settings-items.ts";

/** How much of a value is recorded. */
const RECORDED_CHARACTERS = 80;

/** The values that differ, except those that the web may not see. */
export function valuesOf({ before, after }: Extract<FileChanged, { ok: true }>): readonly ChangedValue[] {
  const isOther = (key: SettingKey): boolean => before.sources[key].toml !== after.sources[key].toml;
  return settingKeys()
    .filter((key) => isOther(key) && !isHiddenFromWeb(key))
    .map((key) => ({ key, was: before.sources[key].toml, is: after.sources[key].toml }));
}

/** The same in reverse. */
export function undone(values: readonly ChangedValue[]): readonly ChangedValue[] {
  return values.map(({ key, was, is }) => ({ key, was: is, is: was }));
}

/** For the events. A line that repeats the current value changes nothing. */
export function recordOf(values: readonly ChangedValue[], keys: readonly string[]): string {
  const changes = values.map(({ key, was, is }) => `${key} = ${short(is)}, was ${short(was)}`);
  return changes.length === 0 ? keys.join(", ") : changes.join("; ");
}

function short(toml: string): string {
  return toml.length <= RECORDED_CHARACTERS ? toml : `${toml.slice(0, RECORDED_CHARACTERS)}…`;
}

/** A reason as a separate sentence. */
export function sentence(reason: string): string {
  return /[.!?]$/.test(reason) ? reason : `${reason}.`;
}

/** Lets the keeper check whether the file is still the one that was read. */
export function fileDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
