import { parseJson } from "../../core/text.ts";
import { type Environment, type Loaded, loadSettings } from "../load.ts";
import { defaultOf, readOwn, type SettingKey, settingKeys, settingOf } from "../schema.ts";
import type { SettingProblem } from "../setting.ts";
import { type Edited, setKey, unsetKey } from "../toml/edit.ts";
import { isTable } from "../toml/statements.ts";

export const SCRIPT = "security/security.js";

const WHITELIST = "allow.networks";
/** What the script calls these settings. */
const KEYS: ReadonlyMap<string, SettingKey> = new Map([
  ["maxEmailsPerIP.perMinute", "limits.mail.per_minute"],
  ["maxEmailsPerIP.perHour", "limits.mail.per_hour"],
  ["maxEmailsPerIP.perDay", "limits.mail.per_day"],
  ["maxConnectionsPerIP.perMinute", "limits.connections.per_minute"],
  ["maxConnectionsPerIP.perHour", "limits.connections.per_hour"],
  ["maxConnectionsPerIP.concurrent", "limits.connections.concurrent"],
  ["banDurations", "bans.ladder"],
  ["whitelist", WHITELIST],
]);
/** What the script calls the steps of the ladder, with their delivered lengths. */
const STEPS = new Map([
  ["light", "30m"],
  ["medium", "2h"],
  ["heavy", "24h"],
]);

/** What was edited in the script, by key and as TOML. */
export type ScriptValues = Readonly<Record<string, string>>;

/** What was adopted last. `isReplaced`: the script may since have been replaced, for example by that of a new version. */
export type AdoptedLast = Readonly<{ values: ScriptValues; isReplaced: boolean }>;

/** `text`: of the settings file. `adopted`: what is new in it. `kept`: values that were removed from the script. */
export type Adopted =
  | Readonly<{
      ok: true;
      text: string;
      values: ScriptValues;
      adopted: readonly Readonly<{ key: SettingKey; toml: string }>[];
      kept: readonly SettingKey[];
    }>
  | Refused;
type Refused = Extract<Loaded, { ok: false }>;

/**
 * Writes the script's edits since its last adoption into the text of the settings file, all of them or none. A limit that the file has set
 * differently by then is a conflict, which the owner resolves; if it was only removed from the script, the file's stays. Addresses are
 * added and removed one by one. A script that was replaced by the delivered one changes nothing.
 */
export function adoptEdits(script: string, last: AdoptedLast, toml: string, env: Environment): Adopted {
  const loaded = loadSettings(toml, {});
  if (!loaded.ok) return loaded;
  const read = valuesIn(script);
  if (!read.ok) return read;
  const { values } = read;
  const unedited = { ok: true, text: toml, values, adopted: [] } as const;
  const before = last.values;
  if (Object.keys(values).length === 0 && last.isReplaced)
    return { ...unedited, kept: settingKeys().filter((key) => key in before) };
  const problems: SettingProblem[] = [];
  const adopted: SettingKey[] = [];
  let text = toml;
  for (const key of KEYS.values()) {
    const source = loaded.sources[key];
    const line = source.from === "file" ? source.line : null;
    const edited = edit(text, key, { was: before[key], is: values[key], inFile: source.toml, line });
    if (!edited.ok) problems.push({ where: key, line, says: edited.reason });
    else if (edited.text !== text) {
      text = edited.text;
      adopted.push(key);
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  const inFile = loadSettings(text, {});
  if (!inFile.ok) return inFile;
  const whole = loadSettings(text, env);
  if (!whole.ok) return whole;
  return { ...unedited, text, adopted: adopted.map((key) => ({ key, toml: inFile.sources[key].toml })), kept: [] };
}

/** The values that differ from the delivered script. */
function valuesIn(script: string): Readonly<{ ok: true; values: ScriptValues }> | Refused {
  const read = readScript(script);
  if (!read.ok) return refused([read.says]);
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const [name, value] of Object.entries(read.config).flatMap(settingsIn)) {
    const key = KEYS.get(name);
    const kept = key === undefined ? null : settingOf(key).kind.read(value);
    if (key === undefined || kept === null)
      problems.push(
        `${name} is not a value of it; it has ${[...KEYS.keys()].join(", ")}. All others are in ghostinbox.toml.`,
      );
    else if (!kept.ok) problems.push(`${name} ${kept.must}, not ${JSON.stringify(kept.got)}.`);
    else if (kept.toml !== delivered(key)) values[key] = kept.toml;
  }
  return problems.length === 0 ? { ok: true, values } : refused(problems);
}

/** The lengths of bans are one setting: a missing step has its delivered length. A number is in milliseconds, as in JavaScript. */
function settingsIn([name, value]: readonly [string, unknown]): readonly (readonly [string, unknown])[] {
  if (name !== "banDurations" || !isTable(value)) return entriesOf({ [name]: value });
  const given: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
  const others = [...given]
    .filter(([step]) => !STEPS.has(step))
    .map(([step, one]) => [`${name}.${step}`, one] as const);
  const ladder = [...STEPS].map(([step, delivered]) => given.get(step) ?? delivered);
  return [[name, ladder.map((one) => (typeof one === "number" ? `${one}ms` : one))], ...others];
}

/** `maxEmailsPerIP: { perMinute: 10 }` is `maxEmailsPerIP.perMinute`. */
function entriesOf(config: object): readonly (readonly [string, unknown])[] {
  return Object.entries(config).flatMap(([name, value]: [string, unknown]) =>
    isTable(value)
      ? entriesOf(value).map(([below, one]) => [`${name}.${below}`, one] as const)
      : [[name, value] as const],
  );
}

function refused(problems: readonly string[]): Refused {
  return { ok: false, problems: problems.map((says) => ({ where: SCRIPT, line: null, says: `${SCRIPT}: ${says}` })) };
}

/** Values as TOML. `was`, `is`: in the script; undefined if not edited. */
type Sides = Readonly<{ was: string | undefined; is: string | undefined; inFile: string; line: number | null }>;

function edit(text: string, key: SettingKey, { was, is, inFile, line }: Sides): Edited {
  const path = key.split(".");
  const byDefault = defaultOf(key).toml;
  const change = (toml: string): Edited => (toml === byDefault ? unsetKey(text, path) : setKey(text, path, toml));
  if (key === WHITELIST) {
    const [old, wanted, current] = [listIn(was), listIn(is), listIn(inFile)];
    const kept = current.filter((one) => wanted.includes(one) || !old.includes(one));
    const added = wanted.filter((one) => !old.includes(one) && !kept.includes(one));
    const list = readOwn(key, [...kept, ...added]).toml;
    return list === inFile ? { ok: true, text } : change(list);
  }
  const [old, wanted] = [was ?? byDefault, is ?? byDefault];
  const isLeft = is === undefined && inFile !== old;
  if (wanted === old || wanted === inFile || isLeft) return { ok: true, text };
  if (line === null || inFile === old) return change(wanted);
  const reason = `${key} is ${inFile} in line ${line} of ghostinbox.toml, and ${wanted} was written into ${SCRIPT}. Make them the same.`;
  return { ok: false, reason };
}

/** The delivered value as TOML: a limit's default, and an empty whitelist. */
function delivered(key: SettingKey): string {
  return key === WHITELIST ? "[]" : defaultOf(key).toml;
}

/** A list of texts is the same in TOML and JSON. */
function listIn(toml: string | undefined): readonly string[] {
  const list: unknown = JSON.parse(toml ?? "[]");
  return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
}

/** The value of `config`, or what is wrong with the file. */
type ScriptRead = Readonly<{ ok: true; config: object }> | Readonly<{ ok: false; says: string }>;

const START = /^const config = (?=\{)/m;
const TOKEN =
  /(?<blank>\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|"(?<double>[^"\\\n]*)"|'(?<single>[^'\\\n]*)'|(?<number>\d{1,9}(?:\s*\*\s*\d{1,9}){0,4})(?![\w\s]*\*)(?!\w)|(?<name>[A-Za-z_]\w*)|(?<mark>[{}[\]:,])/y;

/**
 * Reads `const config = { … };` without running any of the file, so that it can do no harm as root. Its values must be plain: names,
 * numbers and their products (`30 * 60 * 1000`), texts, lists and comments.
 */
export function readScript(text: string): ScriptRead {
  const start = START.exec(text);
  if (start === null) return { ok: false, says: "has no line `const config = {`." };
  const json: string[] = [];
  let depth = 0;
  TOKEN.lastIndex = start.index + start[0].length;
  do {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) return { ok: false, says: `line ${lineAt(text, at)} is more than a plain value.` };
    const { blank, double, single, number, name, mark } = groups;
    if (blank !== undefined) continue;
    if (mark === "{" || mark === "[") depth++;
    if (mark === "}" || mark === "]") {
      depth--;
      // JavaScript allows a trailing comma.
      if (json.at(-1) === ",") json.pop();
    }
    json.push(mark ?? (number === undefined ? JSON.stringify(double ?? single ?? name) : product(number)));
  } while (depth > 0);
  const config = parseJson(json.join(""));
  if (isTable(config)) return { ok: true, config };
  const from = lineAt(text, start.index);
  return { ok: false, says: `the lines from ${from} on are not plain values, one after another.` };
}

function product(factors: string): string {
  return String(factors.split("*").reduce((before, factor) => before * Number(factor), 1));
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}
