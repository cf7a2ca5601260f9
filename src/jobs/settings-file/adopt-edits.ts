import { statSync } from "node:fs";
import { basename, join } from "node:path";
import * as z from "zod/mini";
import { codeOf, messageOf } from "../../core/error.ts";
import { rewriteSettings, settingsText } from "../../host/machine/settings-text.ts";
import { readNamed, readPlain } from "../../host/root-files/files.ts";
import { readRecord, writeRecord } from "../../host/root-files/record-file.ts";
import { ownSecurity, versionIn } from "../../host/running/checkout.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Environment, loadSettings, withoutMark } from "../../settings/load.ts";
import { settingOf } from "../../settings/schema.ts";
import { type AdoptedLast, adoptEdits, SCRIPT } from "../../settings/script/adopt-edits.ts";
import type { SettingProblem } from "../../settings/setting.ts";
import { setKey } from "../../settings/toml/edit.ts";

export type ScriptAdopted =
  | Readonly<{ ok: true; says: readonly string[] }>
  | Readonly<{ ok: false; problems: readonly SettingProblem[] }>;

const NOTHING: ScriptAdopted = { ok: true, says: [] };
/** The key of the version that adopted the edits, beside the settings in the record. Records of older programs lack it. */
const VERSION = "version";
/** Far larger than any edited script. In a container another user may own the mounted file, so its size is bounded. */
const MOST_SCRIPT_BYTES = 1_000_000;
const schema = z.record(z.string(), z.string());

/**
 * Applies edits of `security/security.js` to the settings file, which must exist, and reports them. With
 * `isTrial` nothing is written. Throws if a file cannot be read or written.
 */
export function adoptScript(
  checkout: string,
  { settings, adoptedScript }: Pick<Layout, "settings" | "adoptedScript">,
  env: Environment,
  isTrial = false,
): ScriptAdopted {
  const script = textOf(scriptIn(checkout));
  const text = script === null ? null : settingsText(settings);
  if (script === null || text === null) return NOTHING;
  const plain = withoutMark(text);
  const last = adoptedLast(checkout, adoptedScript);
  const edits = adoptEdits(script, last, plain, env);
  if (!edits.ok) return edits;
  const { adopted, kept, values } = edits;
  if (!isTrial) {
    const mark = text.slice(0, text.length - plain.length);
    if (edits.text !== plain && !rewriteSettings(settings, text, mark + edits.text))
      return adoptScript(checkout, { settings, adoptedScript }, env);
    const isNew = JSON.stringify(values) !== JSON.stringify(last.values);
    if (isNew || (last.version !== last.here && Object.keys(values).length > 0))
      writeRecord(adoptedScript, last.here === null ? values : { ...values, [VERSION]: last.here });
  }
  return {
    ok: true,
    says: [
      ...adopted.map(
        ({ key, toml }) =>
          `${SCRIPT} was edited: ${key} = ${toml}${isTrial ? "; `config apply` writes it to" : ", now in"} ghostinbox.toml.`,
      ),
      ...(kept.length === 0
        ? []
        : [`${SCRIPT} is as shipped again. ghostinbox.toml keeps what was edited there before: ${kept.join(", ")}.`]),
    ],
  };
}

type Last = AdoptedLast & Readonly<{ version: string | null; here: string | null }>;

/**
 * A script older than the record was not edited since: it came with a new container or package. The record's age is that of its inode
 * (st_ctime of stat(3type)), because a restored record keeps the time of its contents but is new on this machine.
 */
function adoptedLast(checkout: string, adoptedScript: string): Last {
  const { [VERSION]: version = null, ...values } = readRecord(adoptedScript, schema, {});
  const here = versionIn(checkout);
  const recordedMs = statSync(adoptedScript, { throwIfNoEntry: false })?.ctimeMs ?? 0;
  const isOlder = statSync(scriptIn(checkout)).mtimeMs < recordedMs;
  return { values, version, here, isReplaced: here === null || version !== here || isOlder };
}

function scriptIn(checkout: string): string {
  return join(ownSecurity(checkout), basename(SCRIPT));
}

function textOf(path: string): string | null {
  try {
    return readNamed(path, MOST_SCRIPT_BYTES).toString();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

const KEY = "alerts.email";
/** The files that Fail2ban's users edit, in the order in which it reads them: a later one wins (jail.conf(5)). */
const FILES = ["jail.conf", "jail.local"];
const MOST_JAIL_BYTES = 1024 * 1024;
/** The default in Debian's jail.conf, which no owner chose. */
const STOCK = "root@localhost";

type Destemail = Readonly<{ file: string; written: string }>;
type Found = Readonly<{ last: Destemail | null; says: readonly string[] }>;

/**
 * Makes the `destemail` of the owner's jail file the alert address, unless the settings name one. Call it before Fail2ban's files are
 * rendered, which overwrites jail.conf. Returns sentences for the owner. With `isTrial` nothing is written. Throws if the settings file
 * cannot be read or written.
 */
export function adoptDestemail(
  checkout: string,
  { settings, fail2banConf }: Pick<Layout, "settings" | "fail2banConf">,
  env: Environment,
  isTrial = false,
): readonly string[] {
  const { last, says } = findDestemail([ownSecurity(checkout), fail2banConf]);
  const text = last === null ? null : settingsText(settings);
  if (last === null || text === null) return says;
  const plain = withoutMark(text);
  const loaded = loadSettings(plain, env);
  // The next reader of the settings reports why they are invalid.
  if (!loaded.ok) return says;
  const isUnused = (why: string) => [...says, `${last.file}: destemail = ${last.written} is not used: ${why}.`];
  const read = settingOf(KEY).kind.read(last.written.split(/[\s,]+/).filter((part) => part !== ""));
  if (!read.ok) return isUnused(`${KEY} ${read.must}`);
  const source = loaded.sources[KEY];
  if (source.toml === read.toml) return says;
  if (source.from === "env") return isUnused(`${source.variable} sets ${KEY}`);
  if (source.from === "file")
    return isUnused(`line ${source.line} of ghostinbox.toml sets ${KEY} = ${source.toml}, and wins`);
  const edited = setKey(plain, KEY.split("."), read.toml);
  if (!edited.ok) return isUnused(edited.reason);
  const mark = text.slice(0, text.length - plain.length);
  if (!isTrial && !rewriteSettings(settings, text, mark + edited.text))
    return adoptDestemail(checkout, { settings, fail2banConf }, env);
  const where = isTrial ? "; `config apply` writes it to" : ", now in";
  return [...says, `${last.file} sets destemail: ${KEY} = ${read.toml}${where} ghostinbox.toml.`];
}

function findDestemail(directories: readonly string[]): Found {
  let last: Destemail | null = null;
  const says: string[] = [];
  for (const file of directories.flatMap((directory) => FILES.map((name) => join(directory, name))))
    try {
      const written = destemailIn(readPlain(file, MOST_JAIL_BYTES)?.text ?? "");
      if (written !== null && written !== STOCK) last = { file, written };
    } catch (error) {
      // Before the first start the directory is missing.
      if (codeOf(error) !== "ENOENT") says.push(`${file} could not be read to look for destemail: ${messageOf(error)}`);
    }
  return { last, says };
}

/** The last `destemail`, in any section. A comment starts a line with `#` or `;`, or follows ` ;` (configparser of Python). */
function destemailIn(text: string): string | null {
  const [, written = ""] = [...text.matchAll(/^destemail[ \t]*[=:](.*)$/gim)].at(-1) ?? [];
  const value = written.replace(/(?:^|\s);.*$/, "").trim();
  return value === "" ? null : value;
}
