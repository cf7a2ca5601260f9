import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "smol-toml";
import { codeOf, readOr } from "../../../../core/error.ts";
import { orNearest } from "../../../../core/text.ts";
import { rewriteSettings, SettingsUnreadable, whyEmptied } from "../../../../host/machine/settings-text.ts";
import { CHECKOUT } from "../../../../host/running/checkout.ts";
import { startCommand } from "../../../../host/running/server-commands.ts";
import { adoptDestemail, adoptScript } from "../../../../jobs/settings-file/adopt-edits.ts";
import { certificateFiles, readPair, servedFiles } from "../../../../mail/certificates/issue-certificate.ts";
import { mailCryptOf, refuseMissing, textInForce, whyFilesMissing } from "../../../../mail/configuration/site.ts";
import { whyNoNewKeys } from "../../../../mail/dovecot/mail-keys.ts";
import { warningsOf } from "../../../../settings/conflicts.ts";
import { layoutOf } from "../../../../settings/layout.ts";
import { loadSettings, missingDomain, withoutMark } from "../../../../settings/load.ts";
import { commentedToml } from "../../../../settings/reference.ts";
import {
  isSettingKey,
  type SettingKey,
  type Settings,
  settingKeys,
  settingOf,
  variableOf,
} from "../../../../settings/schema.ts";
import { SCRIPT } from "../../../../settings/script/adopt-edits.ts";
import { NOTHING_PENDING, overridesOf, printSettings, showSettings, stillInForce } from "../../../../settings/show.ts";
import { type Edited, setKey, unsetKey } from "../../../../settings/toml/edit.ts";
import { type Answer, type Call, done, type Failure, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { oneLine } from "../../print/text.ts";
import {
  environmentOf,
  invalid,
  type Place,
  settingsFileText,
  settingsInFile,
  surprises,
  withSettings,
} from "../../server-settings.ts";

/** `forNextStart`: accepts what a start only warns about. For example, instead of an expired certificate it serves the last one. */
export async function configCheck(call: Call & Place): Promise<Answer> {
  const edited = failureIfEmptied(call) ?? adoptedEdits(call, { isTrial: true });
  if (!edited.ok) return edited;
  const loaded = settingsInFile(call);
  if (!loaded.ok) return loaded;
  const { settings } = loaded;
  const checks = [
    ["domains", () => missingDomain(settings)],
    ["tls.cert", () => certificateProblem(settings, call)],
    ["mailboxes.encryption", () => keyProblem(settings, call)],
    ["backup.repository", () => repositoryProblem(settings, call)],
    ["a file that is named", () => fileProblem(settings, call)],
  ] as const;
  for (const [where, check] of checks) {
    const says = check();
    if (says !== null) return invalid([{ where, says }]);
  }
  const where = existsSync(call.layout.settings) ? call.layout.settings : "The defaults and the environment";
  const warnings = [...edited.warnings, ...warningsOf(settings), ...surprises(call, loaded)];
  const text = [`${where}: nothing is wrong.`, ...warnings.map(({ says }) => `Warning: ${says}`)].join("\n");
  return done({ ok: true, problems: [], warnings }, text, `${PROGRAM} config apply`);
}

/** Why `config apply` would refuse the owner's certificate. Without one, we make our own. */
function certificateProblem(settings: Settings, { layout, now, forNextStart = false }: Call & Place): string | null {
  if (settings["tls.cert"] === "" || settings["tls.key"] === "") return null;
  if (forNextStart && existsSync(servedFiles(layout).cert)) return null;
  const pair = readPair(certificateFiles(settings, layout), now());
  return pair.ok ? null : pair.reason;
}

/** Why `config apply` would refuse the keys that encrypt mail. Only root may read them. */
function keyProblem(settings: Settings, { layout, forNextStart = false }: Place): string | null {
  if (forNextStart && existsSync(layout.engineDb)) return null;
  return process.getuid?.() === 0 ? whyNoNewKeys({ mailCrypt: mailCryptOf(settings, layout), layout }) : null;
}

/** Why backups cannot be there. A restore keeps the default place. An address such as `sftp:…` becomes a path that is elsewhere. */
export function repositoryProblem(settings: Settings, { layout, forNextStart = false }: Place): string | null {
  const path = resolve("/", settings["backup.repository"]);
  // The data directory may be a link.
  const tops = existsSync(layout.data) ? [layout.data, realpathSync(layout.data)] : [layout.data];
  const isIn = tops.some((top) => `${path}/`.startsWith(`${top}/`) && path !== layoutOf(top).backupRepository);
  if (forNextStart || !isIn) return null;
  return `backup.repository must not be in ${layout.data}, because a restore replaces what is there.`;
}

/** Missing files that would keep the server from starting again, although the running one has read them. Only root may read them all. */
function fileProblem(settings: Settings, { layout, forNextStart = false }: Place): string | null {
  if (process.getuid?.() !== 0) return null;
  const dns = ["dns.root_hints", "dns.trust_anchor"] as const;
  const gone = dns.find((key) => settings[key] !== "" && !existsSync(settings[key]));
  const missing = forNextStart ? textInForce(settings, layout, () => undefined) : refuseMissing;
  return gone === undefined
    ? whyFilesMissing(settings, missing)
    : `The file ${settings[gone]} of ${gone} does not exist.`;
}

/** Prints the settings that the server uses, with both values of a setting whose edit is not in force yet. */
export const configShow = withSettings(async (call, loaded) => {
  const edited = adoptedEdits(call, { isTrial: true });
  const pending = await call.guard.ask({ verb: "pending" });
  const waits = pending.ok ? pending.result : NOTHING_PENDING;
  const still = stillInForce(waits);
  const shown = showSettings(loaded.sources);
  const items = shown.map((one) => ({
    ...one,
    applied: pending.ok ? !still.has(one.key) : null,
    inForce: pending.ok ? (still.get(one.key) ?? one.value) : null,
  }));
  const unread = edited.ok ? edited.warnings : [{ where: SCRIPT, says: edited.message }];
  const warnings = [...unread, ...surprises(call, loaded)];
  const text = [printSettings(shown, waits).trimEnd(), ...warnings.map(({ says }) => `# Warning: ${says}`)].join("\n");
  const missing = waits.changed.length > 0 ? "config apply" : still.size > 0 ? "restart" : null;
  const next = `${PROGRAM} ${missing ?? "config reference  # explains every setting"}`;
  return done({ items, warnings }, text, next);
}, settingsInFile);

export async function configReference(): Promise<Answer> {
  const items = settingKeys().map((key) => {
    const { says, byDefault, kind } = settingOf(key);
    return { key, says, default: byDefault, takes: kind.accepts, variable: variableOf(key) };
  });
  return done({ items }, commentedToml({ domains: [], hostname: "" }).trimEnd());
}

const REFERENCE = `\`${PROGRAM} config reference\``;

/** `toml` null: the setting is removed. */
type Assignment = Readonly<{ key: SettingKey; toml: string | null }>;

/** One setting, or several that need each other, such as `tls.cert` and `tls.key`. */
export async function configSet(call: Call): Promise<Answer> {
  const wanted: Assignment[] = [];
  for (let i = 0; i < call.args.length; i += 2) {
    const [name = "", given] = call.args.slice(i);
    const assignment = assignmentFrom(name, given);
    if (!("key" in assignment)) return assignment;
    wanted.push(assignment);
  }
  return change(call, wanted);
}

export async function configUnset(call: Call): Promise<Answer> {
  const wanted: Assignment[] = [];
  for (const name of (call.args[0] ?? "").split(" ")) {
    const key = keyFrom(name);
    if (typeof key !== "string") return key;
    // Without a line in the file, the name given to the first start would apply.
    const isGiven = key === "hostname" && "GHOSTINBOX_FIRST_HOSTNAME" in environmentOf(call);
    wanted.push({ key, toml: isGiven ? '""' : null });
  }
  return change(call, wanted);
}

function keyFrom(given: string): SettingKey | Failure {
  if (isSettingKey(given)) return given;
  const says = `"${oneLine(given)}" is not a setting${orNearest(given, settingKeys())}.`;
  return wrongUsage(says, `${REFERENCE} lists all.`);
}

/** The value is given as in the file or as in an environment variable: `["30m", "2h"]` or `30m,2h`. */
function assignmentFrom(name: string, given: string | undefined): Assignment | Failure {
  const key = keyFrom(name);
  if (typeof key !== "string") return key;
  if (given === undefined) return wrongUsage(`${key} needs a value.`, "Put quotes around a value with spaces.");
  const { kind, secret } = settingOf(key);
  // A forgotten value would empty a list and thereby lift a restriction.
  if (given.trim() === "" && Array.isArray(kind.fromText("")))
    return wrongUsage(`${key} needs a value.`, `Write \`${PROGRAM} config set ${key} []\` for an empty list.`);
  const asInFile = valueIn(given);
  const first = asInFile === undefined ? null : kind.read(asInFile);
  const read = first?.ok === true ? first : kind.read(kind.fromText(given));
  if (read.ok) return { key, toml: read.toml };
  const got = secret === true ? "" : `, not ${oneLine(JSON.stringify(read.got) ?? "")}`;
  return wrongUsage(`${key} ${read.must}${got}.`, `${REFERENCE} explains every setting.`);
}

/** Undefined if the text is not a TOML value. */
function valueIn(given: string): unknown {
  const { value, ...others } = readOr(() => parse(`value = ${given}`), {});
  return Object.keys(others).length === 0 ? value : undefined;
}

/** Writes the file only if all of it is valid afterwards. Nothing is applied or audited: `config apply` does both. */
async function change(call: Call, wanted: readonly Assignment[]): Promise<Answer> {
  const { layout } = call;
  const keys = wanted.map(({ key }) => key);
  const text = settingsFileText(call);
  const gone = failureIfEmptied(call);
  if (gone !== null) return gone;
  if (text === null)
    return failed(
      `${layout.settings} does not exist yet.`,
      `The first start writes it, with every setting: ${startCommand(layout)}`,
    );
  if (typeof text !== "string") return text;
  const plain = withoutMark(text);
  const broken = tomlFailure(plain);
  if (broken !== null) return broken;
  const edited = wanted.reduce<Edited>((so, one) => (so.ok ? editedWith(so.text, one) : so), { ok: true, text: plain });
  if (!edited.ok) return failed(edited.reason, "Nothing was written.");
  const loaded = loadSettings(edited.text, environmentOf(call));
  if (!loaded.ok) return invalid(loaded.problems, "nothing was written");
  const missing = keys.includes("domains") ? missingDomain(loaded.settings) : null;
  if (missing !== null) return invalid([{ where: "domains", says: missing }], "nothing was written");
  const lost = failureIfEmptied(call, edited.text);
  if (lost !== null) return lost;
  const changed = edited.text !== plain;
  const mark = text.slice(0, text.length - plain.length);
  // If another command has changed the file since, starts again from the new text.
  if (changed && !rewriteSettings(layout.settings, text, mark + edited.text)) return change(call, wanted);
  const { sources } = loaded;
  const items = showSettings(sources).filter(({ key }) => keys.includes(key));
  const overrides = overridesOf(sources).filter(({ key }) => keys.includes(key));
  const values = items.map(({ key, value, from }) => `${key} = ${value}${from === "default" ? ", the default" : ""}`);
  const lines = [
    changed ? "The file was changed; it is not applied yet." : "Nothing to change: the file already has this.",
    ...values,
    ...overrides.map(({ says }) => `Warning: ${says}`),
  ];
  const warnings = overrides.map(({ variable, says }) => ({ where: variable, says }));
  return done({ changed, items, warnings }, lines.join("\n"), `${PROGRAM} config apply`);
}

function editedWith(text: string, { key, toml }: Assignment): Edited {
  const path = key.split(".");
  return toml === null ? unsetKey(text, path) : setKey(text, path, toml);
}

/** The failure if the text is not valid TOML: problems without a key concern the whole file. */
function tomlFailure(text: string): Failure | null {
  const loaded = loadSettings(text, {});
  const broken = loaded.ok ? [] : loaded.problems.filter(({ where }) => where === "");
  return broken.length === 0 ? null : invalid(broken, "nothing was written");
}

/** The failure if the file has lost every setting. Call it before edits are adopted, because then the file has a setting again. */
export function failureIfEmptied({ layout }: Pick<Call, "layout">, edited?: string): Failure | null {
  const says = whyEmptied(layout, edited);
  return says === null ? null : invalid([{ where: "", says }]);
}

type AdoptedEdits = Readonly<{ ok: true; warnings: readonly Readonly<{ where: string; says: string }>[] }>;

/** Adopts edits of `security/security.js` and of the owner's jail files into the settings file; with `isTrial`, only reports them. */
export function adoptedEdits(call: Place, { isTrial }: Readonly<{ isTrial: boolean }>): AdoptedEdits | Failure {
  try {
    const adopted = adoptScript(CHECKOUT, call.layout, environmentOf(call), isTrial);
    if (!adopted.ok) return invalid(adopted.problems);
    const destemail = adoptDestemail(CHECKOUT, call.layout, environmentOf(call), isTrial);
    const warnings = [
      ...adopted.says.map((says) => ({ where: SCRIPT, says })),
      ...destemail.map((says) => ({ where: "alerts.email", says })),
    ];
    return { ok: true, warnings };
  } catch (error) {
    // Whoever reads the settings next reports why they cannot be read.
    if (codeOf(error) !== "EACCES" && !(error instanceof SettingsUnreadable)) throw error;
    return { ok: true, warnings: [] };
  }
}
