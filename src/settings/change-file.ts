import { orNearest, parseJson } from "../core/text.ts";
import { isSmallerQuota } from "./kinds/kind.ts";
import { type Environment, loadSettings, type ValidSettings, withoutMark, wrongValue } from "./load.ts";
import { isSettingKey, type SettingKey, settingKeys, settingOf } from "./schema.ts";
import { type Edited, setKey, unsetKey } from "./toml/edit.ts";
import { tooLooseForWeb, whyNotOverWeb } from "./web-changes.ts";

/** `value`: as JSON; null restores the default. */
export type AskedChange = Readonly<{ key: string; value: string | null }>;

/** How the lines of one setting change. `line`: where it is in the new file; null if it is not there. */
type LineChange = Readonly<{
  key: SettingKey;
  line: number | null;
  removed: readonly string[];
  added: readonly string[];
}>;

export type FileChanged =
  | Readonly<{ ok: true; text: string; before: ValidSettings; after: ValidSettings; lines: readonly LineChange[] }>
  | Readonly<{ ok: false; problems: readonly KeyProblem[] }>;
/** `key`: empty if the file as a whole is wrong. */
type KeyProblem = Readonly<{ key: string; says: string }>;

/** Changes settings that the web may change in the text of the settings file, all or none. Other text, even a byte order mark, stays. */
export function changeFile(text: string, asked: readonly AskedChange[], env: Environment): FileChanged {
  const plain = withoutMark(text);
  const before = loadSettings(plain, env);
  if (!before.ok) return { ok: false, problems: before.problems.map(({ says }) => ({ key: "", says })) };
  const problems: KeyProblem[] = [];
  const steps: Omit<LineChange, "line">[] = [];
  let now = plain;
  for (const one of asked) {
    const edited = edit(now, one, before);
    if (!edited.ok) problems.push({ key: one.key, says: edited.reason });
    else {
      if (edited.text !== now) steps.push({ key: edited.key, ...differing(now, edited.text) });
      now = edited.text;
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  const after = loadSettings(now, env);
  if (!after.ok) return { ok: false, problems: after.problems.map(({ where, says }) => ({ key: where, says })) };
  if (isSmallerQuota(after.settings[QUOTA], before.settings[QUOTA]))
    return { ok: false, problems: [{ key: QUOTA, says: `${QUOTA} ${ONLY_RAISED}` }] };
  const lines = steps.map((step) => {
    const source = after.sources[step.key];
    return { ...step, line: source.from === "file" ? source.line : null };
  });
  return { ok: true, text: text.slice(0, text.length - plain.length) + now, before, after, lines };
}

const QUOTA = "mailboxes.quota";
const ONLY_RAISED =
  "can only be raised here: with a smaller one, a mailbox might be too full for alerts. Change it on the server: `config set`.";

type EditedKey = (Extract<Edited, { ok: true }> & Readonly<{ key: SettingKey }>) | Extract<Edited, { ok: false }>;

function edit(text: string, { key, value }: AskedChange, { sources }: ValidSettings): EditedKey {
  if (!isSettingKey(key))
    return { ok: false, reason: `${JSON.stringify(key)} is not a setting${orNearest(key, settingKeys())}.` };
  const why = whyNotOverWeb(key);
  if (why !== null) return { ok: false, reason: `${key} cannot be changed here. ${why}` };
  const source = sources[key];
  if (source.from === "env")
    return { ok: false, reason: `${source.variable} sets ${key}. To change it here, start without this variable.` };
  const path = key.split(".");
  const edited = value === null ? unsetKey(text, path) : withValue(text, key, value);
  return edited.ok ? { ...edited, key } : edited;
}

function withValue(text: string, key: SettingKey, value: string): Edited {
  // Undefined is not a value of any setting.
  const read = settingOf(key).kind.read(parseJson(value));
  if (!read.ok) return { ok: false, reason: wrongValue(key, key, read) };
  const reason = tooLooseForWeb(key, read.value);
  return reason === null ? setKey(text, key.split("."), read.toml) : { ok: false, reason };
}

/** The lines in which two texts differ, if they differ in one place. */
function differing(before: string, after: string): Pick<LineChange, "removed" | "added"> {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++;
  let end = 0;
  const most = Math.min(old.length, fresh.length) - start;
  while (end < most && old.at(-1 - end) === fresh.at(-1 - end)) end++;
  return { removed: old.slice(start, old.length - end), added: fresh.slice(start, fresh.length - end) };
}
