import { join } from "node:path";
import { settingsText } from "../../adapters/machine/settings-text.ts";
import { readPlain } from "../../adapters/root-files/files.ts";
import { codeOf, messageOf } from "../../core/error.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Environment, loadSettings, withoutMark } from "../../settings/load.ts";
import { settingOf } from "../../settings/schema.ts";
import { setKey } from "../../settings/toml/edit.ts";
import { ownSecurity } from "./checkout.ts";
import { rewriteSettings } from "./rewrite-settings.ts";

const KEY = "alerts.email";
/** The files of Fail2ban's users, in the order in which it reads them: a later one wins (jail.conf(5)). */
const FILES = ["jail.conf", "jail.local"];
const MOST_BYTES = 1024 * 1024;
/** The value in Debian's own jail.conf: no owner chose it. */
const STOCK = "root@localhost";

type Destemail = Readonly<{ file: string; written: string }>;
type Found = Readonly<{ last: Destemail | null; says: readonly string[] }>;

/**
 * Makes the `destemail` of the owner's jail file the address of alerts, unless the settings name one. Call it before Fail2ban's
 * files are rendered, which overwrites jail.conf. Returns sentences for the owner. With `isTrial` nothing is written. Throws if
 * the settings file cannot be read or written.
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
  if (!isTrial) rewriteSettings(settings, text.slice(0, text.length - plain.length) + edited.text);
  const where = isTrial ? "; `config apply` writes it to" : ", now in";
  return [...says, `${last.file} sets destemail: ${KEY} = ${read.toml}${where} ghostinbox.toml.`];
}

function findDestemail(directories: readonly string[]): Found {
  let last: Destemail | null = null;
  const says: string[] = [];
  for (const file of directories.flatMap((directory) => FILES.map((name) => join(directory, name))))
    try {
      const written = destemailIn(readPlain(file, MOST_BYTES)?.text ?? "");
      if (written !== null && written !== STOCK) last = { file, written };
    } catch (error) {
      // Before the first start the directory is missing.
      if (codeOf(error) !== "ENOENT") says.push(`${file} is not searched for destemail: ${messageOf(error)}`);
    }
  return { last, says };
}

/** The last one, in any section; a comment starts a line with `#` or `;`, or follows ` ;` (configparser of Python). */
function destemailIn(text: string): string | null {
  const [, written = ""] = [...text.matchAll(/^destemail[ \t]*[=:](.*)$/gim)].at(-1) ?? [];
  const value = written.replace(/(?:^|\s);.*$/, "").trim();
  return value === "" ? null : value;
}
