import { parse, TomlError } from "smol-toml";
import { printable } from "../core/text.ts";
import { findConflicts } from "./conflicts.ts";
import { type Read } from "./kinds/kind.ts";
import { nearest } from "./nearest.ts";
import { isSettingKey, type SettingKey, type Settings, settingKeys, settingOf, variableOf } from "./schema.ts";
import type { SettingProblem } from "./setting.ts";

/** Where a value comes from, and its canonical text in TOML. */
export type Source = Readonly<
  { toml: string } & ({ from: "default" } | { from: "file" } | { from: "env"; variable: string })
>;
export type Sources = Readonly<Record<SettingKey, Source>>;

export type Loaded =
  | Readonly<{ ok: true; settings: Settings; sources: Sources }>
  | Readonly<{ ok: false; problems: readonly SettingProblem[] }>;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variables with our prefix that are not settings: the data directory, the consent for set-up, and more detail in
 * errors.
 */
const OTHER_VARIABLES: readonly string[] = ["GHOSTINBOX_DATA", "GHOSTINBOX_ALLOW_REMOVE", "GHOSTINBOX_DEBUG"];
/** Kubernetes puts these into every container when a service is called `ghostinbox`. */
const NOT_OURS = /^GHOSTINBOX_(SERVICE_(HOST|PORT)|PORT$|PORT_\d)/;

const MOST_CHARACTERS = 1_000_000;
const MOST_PROBLEMS = 20;
/** One more level than the longest path of a setting. */
const DEEPEST = 5;

type Written = Readonly<{
  key: SettingKey;
  value: unknown;
  origin: { from: "file" } | { from: "env"; variable: string };
}>;

/**
 * Reads the text of `ghostinbox.toml` (null: there is none) and the environment, which wins. All of it is valid or
 * nothing is: every problem is reported at once, at most 20.
 */
export function loadSettings(text: string | null, env: Environment): Loaded {
  const problems: SettingProblem[] = [];
  const written = [...readFile(text ?? "", problems), ...readEnvironment(env, problems)];
  const values = new Map<SettingKey, unknown>();
  const sources = new Map<SettingKey, Source>();
  for (const key of settingKeys()) {
    const read = settingOf(key).kind.read(settingOf(key).byDefault);
    if (!read.ok) throw new Error(`default of ${key} ${read.must}`);
    values.set(key, read.value);
    sources.set(key, { toml: read.toml, from: "default" });
  }
  for (const { key, value, origin } of written) {
    const read = settingOf(key).kind.read(value);
    if (read.ok) {
      values.set(key, read.value);
      sources.set(key, { toml: read.toml, ...origin });
    } else {
      const where = origin.from === "env" ? origin.variable : key;
      problems.push({ where, line: null, says: wrongValue(key, where, read) });
    }
  }
  // Every value came from the reader of its own key, and every key has one.
  const settings = named(Object.fromEntries(values) as Settings);
  if (problems.length === 0) problems.push(...findConflicts(settings));
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, MOST_PROBLEMS) };

  if (sources.get("hostname")?.toml === '""')
    sources.set("hostname", { toml: JSON.stringify(settings.hostname), from: "default" });
  return { ok: true, settings, sources: Object.fromEntries(sources) as Sources };
}

/** The sentence that stops the start while no mail domain is set; null if there is one. */
export function missingDomain(settings: Settings): string | null {
  if (settings.domains.length > 0) return null;
  return `No mail domain is set: write domains = ["example.org"] in ghostinbox.toml, or set GHOSTINBOX_DOMAIN=example.org.`;
}

function named(settings: Settings): Settings {
  const first = settings.domains[0];
  return settings.hostname === "" && first !== undefined ? { ...settings, hostname: `mail.${first}` } : settings;
}

function readFile(text: string, problems: SettingProblem[]): readonly Written[] {
  if (text.length > MOST_CHARACTERS) {
    problems.push({ where: "", line: null, says: `ghostinbox.toml has more than ${MOST_CHARACTERS} characters.` });
    return [];
  }
  try {
    const written: Written[] = [];
    // An editor's byte order mark is not part of the document.
    collect(parse(text.replace(/^\uFEFF/, "")), [], written, problems);
    return written;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = (error.message.split("\n")[0] ?? "").replace("Invalid TOML document: ", "");
    const says = `Line ${error.line} of ghostinbox.toml, column ${error.column}, is not TOML: ${quoted(what.replace(/\.$/, ""))}.`;
    problems.push({ where: "", line: error.line, says });
    return [];
  }
}

function collect(table: object, path: readonly string[], written: Written[], problems: SettingProblem[]): void {
  for (const [name, value] of Object.entries(table)) {
    if (problems.length >= MOST_PROBLEMS) return;
    const here = [...path, name];
    const key = here.map(bareOrQuoted).join(".");
    if (isSettingKey(key)) {
      written.push({ key, value, origin: { from: "file" } });
    } else if (isTable(value) && here.length < DEEPEST && (isSection(key) || Object.keys(value).length > 0)) {
      collect(value, here, written, problems);
    } else if (isSection(key)) {
      problems.push({ where: key, line: null, says: `${key} must be a table, as in [${key}], not ${show(value)}.` });
    } else {
      const hint = nearest(key, settingKeys());
      problems.push({ where: key, line: null, says: `${quoted(key)} is no setting; the nearest is ${hint}.` });
    }
  }
}

function readEnvironment(env: Environment, problems: SettingProblem[]): readonly Written[] {
  const keys = new Map(settingKeys().map((key) => [variableOf(key), key]));
  const written: Written[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith("GHOSTINBOX_") || text === undefined) continue;
    const key = keys.get(variable);
    if (text.trim() === "") {
      if (key !== undefined && mayBeEmptyList(key)) {
        const says = `${variable} is empty: write [] for an empty list, or leave the variable out.`;
        problems.push({ where: variable, line: null, says });
      }
    } else if (key !== undefined) {
      written.push({ key, value: settingOf(key).kind.fromText(text.trim()), origin: { from: "env", variable } });
    } else if (!OTHER_VARIABLES.includes(variable) && !NOT_OURS.test(variable)) {
      const hint = nearest(variable, [...keys.keys(), ...OTHER_VARIABLES]);
      const says = `The environment variable ${quoted(variable)} is no setting; the nearest is ${hint}.`;
      problems.push({ where: variable, line: null, says });
    }
  }
  return written;
}

/**
 * Compose files pass on unset variables as empty ones, so an empty one counts as not set. Only for a list would that be a
 * guess. No server runs without a mail domain, though.
 */
function mayBeEmptyList(key: SettingKey): boolean {
  return key !== "domains" && settingOf(key).kind.read([]).ok;
}

function wrongValue(key: SettingKey, where: string, read: Read<unknown> & { ok: false }): string {
  return settingOf(key).secret === true ? `${where} ${read.must}.` : `${where} ${read.must}, not ${show(read.got)}.`;
}

function isSection(path: string): boolean {
  return settingKeys().some((key) => key.startsWith(`${path}.`));
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A quoted name with a dot in it is not a path. */
function bareOrQuoted(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

function show(value: unknown): string {
  if (isTable(value)) return "a table";
  return Array.isArray(value) && value.some((item) => typeof item === "object")
    ? "a list of tables or lists"
    : quoted(JSON.stringify(value) ?? String(value));
}

/** Names and values are whatever was typed or inherited. */
function quoted(text: string): string {
  return printable(text, 80);
}
