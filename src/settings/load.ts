import { parse, TomlError } from "smol-toml";
import { orNearest, printable } from "../core/text.ts";
import { findConflicts } from "./conflicts.ts";
import { FIRST_VARIABLES } from "./first-variables.ts";
import type { Read } from "./kinds/kind.ts";
import { profileDefault } from "./profile.ts";
import {
  defaultOf,
  isSettingKey,
  readOwn,
  type SettingKey,
  type Settings,
  settingKeys,
  settingOf,
  variableOf,
} from "./schema.ts";
import type { SettingProblem } from "./setting.ts";
import { findClash, isTable, linesOfKeys, nameOf, type Statement, statementsOf } from "./toml/statements.ts";

/** Where a value comes from, and its canonical text in TOML. `overrides` is the file's value and line, if that value differs. */
export type Source = Readonly<
  { toml: string } & (
    | { from: "default" }
    | { from: "profile"; profile: Exclude<Settings["profile"], "standard"> }
    | { from: "file"; line: number }
    | { from: "env"; variable: string; overrides: Readonly<{ toml: string; line: number }> | null }
  )
>;
export type Sources = Readonly<Record<SettingKey, Source>>;

export type ValidSettings = Readonly<{ ok: true; settings: Settings; sources: Sources }>;
export type Loaded = ValidSettings | Readonly<{ ok: false; problems: readonly SettingProblem[] }>;
/** `reason`: one sentence for each problem. */
export type SettingsRead = ValidSettings | Readonly<{ ok: false; reason: string }>;

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
  origin: { from: "file"; line: number } | { from: "env"; variable: string };
}>;

/**
 * Reads the text of `ghostinbox.toml` (null: there is none) and the environment, which wins. It is accepted only as a whole: all problems
 * are reported at once, up to 20.
 */
export function loadSettings(text: string | null, env: Environment, conflictsOf = findConflicts): Loaded {
  const problems: SettingProblem[] = [];
  const written = [...readFirst(env), ...readFile(text ?? "", problems), ...readEnvironment(env, problems)];
  const values = new Map<SettingKey, unknown>();
  const sources = new Map<SettingKey, Source>();
  const profile = profileIn(written);
  for (const key of settingKeys()) {
    const ofProfile = profileDefault(profile, key);
    const { value, toml } = ofProfile === undefined ? defaultOf(key) : readOwn(key, ofProfile);
    values.set(key, value);
    const isOther = profile !== "standard" && ofProfile !== undefined;
    sources.set(key, isOther ? { toml, from: "profile", profile } : { toml, from: "default" });
  }
  for (const { key, value, origin } of written) {
    const read = settingOf(key).kind.read(value);
    if (read.ok) {
      const { toml } = read;
      values.set(key, read.value);
      sources.set(
        key,
        origin.from === "file" ? { toml, ...origin } : overriding(sources.get(key), { toml, ...origin }),
      );
    } else {
      const where = origin.from === "env" ? origin.variable : key;
      const line = origin.from === "env" ? null : origin.line;
      problems.push({ where, line, says: wrongValue(key, where, read) });
    }
  }
  // Each value came from the reader of its key, and every key has one.
  const settings = withHostName(Object.fromEntries(values) as Settings);
  if (problems.length === 0) problems.push(...conflictsOf(settings));
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, MOST_PROBLEMS) };

  if (sources.get("hostname")?.toml === '""')
    sources.set("hostname", { toml: JSON.stringify(settings.hostname), from: "default" });
  return { ok: true, settings, sources: Object.fromEntries(sources) as Sources };
}

/** As `loadSettings`, for callers that only report the problems. */
export function settingsOrReason(text: string | null, env: Environment, conflictsOf = findConflicts): SettingsRead {
  const loaded = loadSettings(text, env, conflictsOf);
  return loaded.ok ? loaded : { ok: false, reason: sentencesOf(loaded.problems) };
}

/** All problems as one text, with a sentence for each. */
export function sentencesOf(problems: readonly Pick<SettingProblem, "says">[]): string {
  return problems.map(({ says }) => says).join(" ");
}

/** The sentence that stops the start while no mail domain is set; null if there is one. */
export function missingDomain(settings: Settings): string | null {
  if (settings.domains.length > 0) return null;
  return `No mail domain is set: write domains = ["example.org"] in ghostinbox.toml, or set GHOSTINBOX_DOMAIN=example.org.`;
}

/** An invalid value names no profile; its reader reports it. */
function profileIn(written: readonly Written[]): Settings["profile"] {
  const named = written.findLast(({ key, value }) => key === "profile" && settingOf(key).kind.read(value).ok);
  return named?.value === "small" ? "small" : "standard";
}

function overriding(before: Source | undefined, { toml, variable }: { toml: string; variable: string }): Source {
  const isOver = before?.from === "file" && before.toml !== toml;
  return { toml, from: "env", variable, overrides: isOver ? { toml: before.toml, line: before.line } : null };
}

function withHostName(settings: Settings): Settings {
  const first = settings.domains[0];
  return settings.hostname === "" && first !== undefined ? { ...settings, hostname: `mail.${first}` } : settings;
}

function readFile(text: string, problems: SettingProblem[]): readonly Written[] {
  if (text.length > MOST_CHARACTERS) {
    problems.push({ where: "", line: null, says: `ghostinbox.toml has more than ${MOST_CHARACTERS} characters.` });
    return [];
  }
  const plain = withoutMark(text);
  const statements = statementsOf(plain);
  const lineOf = linesOfKeys(statements);
  const written: Written[] = [];
  const collect = (table: object, path: readonly string[]): void => {
    for (const [name, value] of Object.entries(table)) {
      if (problems.length >= MOST_PROBLEMS) return;
      const here = [...path, name];
      const key = nameOf(here);
      const statement = lineOf(here);
      const line = statement?.line ?? null;
      if (isSettingKey(key)) written.push({ key, value, origin: { from: "file", line: line ?? 1 } });
      else if (isTable(value) && here.length < DEEPEST && (isSection(key) || Object.keys(value).length > 0))
        collect(value, here);
      // Its value may be a secret, such as the URL of alerts.webhook.
      else if (isSection(key)) problems.push({ where: key, line, says: `${key} must be a table, as in [${key}].` });
      else problems.push({ where: key, line, says: unknownKey(key, statement) });
    }
  };
  try {
    collect(parse(plain), []);
    return written;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    problems.push(notToml(error, statements));
    return [];
  }
}

/** An editor's byte order mark is not part of the document. */
export function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "");
}

function notToml(error: TomlError, statements: readonly Statement[]): SettingProblem {
  const clash = findClash(statements);
  // The parser stops at the first mistake, which may be a different one.
  if (clash !== null && clash.line <= error.line) return { where: "", line: clash.line, says: clash.says };
  const what = (error.message.split("\n")[0] ?? "").replace("Invalid TOML document: ", "");
  const says = `Line ${error.line} of ghostinbox.toml, column ${error.column}, is not TOML: ${quoted(what.replace(/\.$/, ""))}.`;
  return { where: "", line: error.line, says };
}

/** A line pasted below a table belongs to that table, which the owner may not have intended. */
function unknownKey(key: string, statement: Statement | null): string {
  const table = statement?.under ?? null;
  const asWritten = statement === null || table === null ? "" : nameOf(statement.path.slice(table.path.length));
  if (statement !== null && table !== null && isSettingKey(asWritten))
    return `${quoted(key)} is not a setting: line ${statement.line} sets ${asWritten} below the table [${quoted(nameOf(table.path))}] of line ${table.line}. Move it above line ${table.line}.`;
  return `${quoted(key)} is not a setting${orNearest(key, settingKeys())}.`;
}

/** What the first start was given, for settings that the file no longer sets. Without a profile in the file, the standard one applies. */
function readFirst(env: Environment): readonly Written[] {
  return [...FIRST_VARIABLES].flatMap(([name, key]) => {
    if (key === "profile") return [];
    const text = env[name]?.trim() ?? "";
    const variable = variableOf(key);
    return text === "" ? [] : { key, value: settingOf(key).kind.fromText(text), origin: { from: "env", variable } };
  });
}

function readEnvironment(env: Environment, problems: SettingProblem[]): readonly Written[] {
  const keys = new Map(settingKeys().map((key) => [variableOf(key), key]));
  const written: Written[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith("GHOSTINBOX_") || text === undefined || FIRST_VARIABLES.has(variable)) continue;
    const key = keys.get(variable);
    if (text.trim() === "") {
      if (key !== undefined && mayBeEmptyList(key)) {
        const says = `${variable} is empty: write [] for an empty list, or leave the variable out.`;
        problems.push({ where: variable, line: null, says });
      }
    } else if (key !== undefined) {
      written.push({ key, value: settingOf(key).kind.fromText(text.trim()), origin: { from: "env", variable } });
    } else if (!OTHER_VARIABLES.includes(variable) && !NOT_OURS.test(variable)) {
      const hint = orNearest(variable, [...keys.keys(), ...OTHER_VARIABLES]);
      const says = `The environment variable ${quoted(variable)} is not a setting${hint}.`;
      problems.push({ where: variable, line: null, says });
    }
  }
  return written;
}

/**
 * Compose files pass on unset variables as empty ones, so an empty one counts as not set. For a list this would be a guess, because it
 * could also be empty. No server runs without a mail domain, though.
 */
function mayBeEmptyList(key: SettingKey): boolean {
  return key !== "domains" && settingOf(key).kind.read([]).ok;
}

/** The sentence about a value that this key does not accept. */
export function wrongValue(key: SettingKey, where: string, read: Read<unknown> & { ok: false }): string {
  return settingOf(key).secret === true ? `${where} ${read.must}.` : `${where} ${read.must}, not ${shown(read.got)}.`;
}

function isSection(path: string): boolean {
  return settingKeys().some((key) => key.startsWith(`${path}.`));
}

function shown(value: unknown): string {
  if (isTable(value)) return "a table";
  return Array.isArray(value) && value.some((item) => typeof item === "object")
    ? "a list of tables or lists"
    : quoted(typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value)));
}

/** Names and values are whatever was typed or inherited. */
function quoted(text: string): string {
  return printable(text, 80);
}
