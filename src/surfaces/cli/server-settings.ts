import type { Results } from "../../admin/declare/control.ts";
import { codeOf } from "../../core/error.ts";
import { plural } from "../../core/text.ts";
import {
  readServiceEnvironment,
  type SettingsRead,
  SettingsUnreadable,
  settingsInForce,
  settingsText as textOf,
} from "../../host/machine/settings-text.ts";
import { lockHolder } from "../../host/running/data-directory.ts";
import { takenOver } from "../../settings/first-variables.ts";
import { type Environment, loadSettings, type ValidSettings } from "../../settings/load.ts";
import { type SettingKey, type Settings, settingKeys, settingOf, variableOf } from "../../settings/schema.ts";
import type { SettingProblem } from "../../settings/setting.ts";
import { overridesOf } from "../../settings/show.ts";
import { type Answer, type Call, type Failure, failed, PROGRAM, whileRunning } from "./call.ts";

/** `forNextStart`: asks about the next start, which has only the variables given here, even while a server runs. */
export type Place = Pick<Call, "layout" | "env"> & Readonly<{ forNextStart?: boolean }>;

/** The settings in force, ignoring later edits. If no server runs or they are not recorded, those of the file. */
export function settingsOf(call: Place): ValidSettings | Failure {
  const inForce = runs(call.layout.startPid) ? settingsInForce(call.layout, environmentOf(call)) : null;
  return inForce ?? settingsInFile(call);
}

/** The settings that `config apply` would apply, or everything that is wrong with them. */
export function settingsInFile(call: Place): SettingsRead | Failure {
  const text = settingsFileText(call);
  if (typeof text === "object" && text !== null) return text;
  const loaded = loadSettings(text, environmentOf(call));
  return loaded.ok ? { ...loaded, text: text ?? "" } : invalid(loaded.problems);
}

type Lists = Pick<Settings, "allow.networks" | "domains">;

/** The settings with the list that is still in force: the file's, unless the reply to `pending` has another one. */
export function untilNow(key: keyof Lists, settings: Lists, { changed, inForce }: Results["pending"]): Lists {
  const list = inForce[changed.indexOf(key)];
  if (list === undefined) return settings;
  const loaded = loadSettings(`${key} = ${list}`, {});
  if (!loaded.ok) throw new Error(`The guard gave no list for ${key}, but ${list}`);
  return loaded.settings;
}

type Run = (call: Call, loaded: ValidSettings) => Promise<Answer>;

/** A command that needs valid settings: those in force, unless it reads others. */
export function withSettings(run: Run, read = settingsOf) {
  return async (call: Call): Promise<Answer> => {
    const loaded = read(call);
    return loaded.ok ? run(call, loaded) : loaded;
  };
}

export function withSettingsWhileRunning(run: Run) {
  return whileRunning(withSettings(run));
}

/** Null if the file is missing. */
export function settingsFileText({ layout }: Place): string | null | Failure {
  try {
    return textOf(layout.settings);
  } catch (error) {
    if (codeOf(error) === "EACCES")
      return failed(`${layout.settings} may be read by root only.`, "Try again with sudo.");
    if (error instanceof SettingsUnreadable) return failed(`${error.message}.`, "Without it, the defaults apply.");
    throw error;
  }
}

/**
 * The environment of the server. A running server has only the variables with which it was started. While it is down, those of its
 * last start apply, overridden by those given here, as at the next start.
 */
export function environmentOf({ layout, env, forNextStart = false }: Place): Environment {
  const started = readServiceEnvironment(layout.environment);
  if (forNextStart) return takenOver(env, started);
  if (runs(layout.startPid)) return started;
  const others = Object.entries(started).filter(([name]) => env[name] === undefined);
  return { ...Object.fromEntries(others), ...takenOver(env, started) };
}

type Problem = Omit<SettingProblem, "line">;

/** Warnings about variables with an unexpected effect: one that overrides the file, or that the running server does not have. */
export function surprises(call: Place, { sources }: ValidSettings): readonly Problem[] {
  const overrides = overridesOf(sources).map(({ variable, says }) => ({
    where: variable,
    says: `${says} To let the file decide, start the server without ${variable}.`,
  }));
  if (!runs(call.layout.startPid)) return overrides;
  const started = readServiceEnvironment(call.layout.environment);
  // No warning for a variable with the server's own value, such as the domain of the first start.
  const unseen = settingKeys()
    .filter((key) => saysOtherwise(key, call.env[variableOf(key)] ?? "", sources[key].toml))
    .map(variableOf)
    .filter((name) => call.env[name] !== started[name])
    .map((where) => ({ where, says: `${where} is set for this command only: the server does not see it.` }));
  return [...overrides, ...unseen];
}

function saysOtherwise(key: SettingKey, text: string, inForce: string): boolean {
  if (text.trim() === "") return false;
  const { kind } = settingOf(key);
  const read = kind.read(kind.fromText(text));
  return !read.ok || read.toml !== inForce;
}

export function invalid(problems: readonly Problem[], otherwise = "none was applied"): Failure {
  const json = { ok: false, problems };
  const [only, ...others] = problems;
  const next = `\`${PROGRAM} config reference\` explains every setting.`;
  if (only !== undefined && others.length === 0) return failed(only.says, next, { lines: [], json });
  const lines = problems.map(({ says }) => `- ${says}`);
  const message = `${plural(problems.length, "setting is", "settings are")} wrong: ${otherwise}.`;
  return failed(message, next, { lines, json });
}

function runs(lock: string): boolean {
  return lockHolder(lock) !== null;
}
