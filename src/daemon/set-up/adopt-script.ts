import { statSync } from "node:fs";
import { basename, join } from "node:path";
import * as z from "zod/mini";
import { settingsText } from "../../adapters/machine/settings-text.ts";
import { readNamed } from "../../adapters/root-files/files.ts";
import { readRecord, writeRecord } from "../../adapters/root-files/record-file.ts";
import { codeOf, messageOf } from "../../core/error.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Environment, withoutMark } from "../../settings/load.ts";
import { type AdoptedLast, adoptEdits, SCRIPT, type ScriptValues } from "../../settings/script/adopt-edits.ts";
import type { SettingProblem } from "../../settings/setting.ts";
import { versionIn } from "./build/version-in.ts";
import { ownSecurity } from "./checkout.ts";
import { rewriteSettings } from "./rewrite-settings.ts";

export type ScriptAdopted =
  | Readonly<{ ok: true; says: readonly string[] }>
  | Readonly<{ ok: false; problems: readonly SettingProblem[] }>;

const NOTHING: ScriptAdopted = { ok: true, says: [] };
/** The entry of the record beside the settings: the version that adopted them. Records of older programs lack it. */
const VERSION = "version";
/** Far more than anyone edits into it. In a container another user may own the mounted file. */
const MOST_BYTES = 1_000_000;
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
    if (edits.text !== plain) rewriteSettings(settings, text.slice(0, text.length - plain.length) + edits.text);
    const isNew = JSON.stringify(values) !== JSON.stringify(last.values);
    if (isNew || (last.version !== last.here && Object.keys(values).length > 0))
      writeRecord(adoptedScript, recordOf(values, last.here));
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
        : [`${SCRIPT} is again as delivered. ghostinbox.toml keeps what was edited there before: ${kept.join(", ")}.`]),
    ],
  };
}

type Last = AdoptedLast & Readonly<{ version: string | null; here: string | null }>;

/**
 * A file older than the record was not edited since: a new container or an installed package brought it. The record's age is that
 * of its inode (st_ctime of stat(3type)): a restored one has kept the time of its contents, and is new here.
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

function recordOf(values: ScriptValues, version: string | null): ScriptValues {
  return version === null ? values : { ...values, [VERSION]: version };
}

function textOf(path: string): string | null {
  try {
    return readNamed(path, MOST_BYTES).toString();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
