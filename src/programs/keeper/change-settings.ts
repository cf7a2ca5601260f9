import { type KeeperReply, UNDO_MS } from "../../admin/declare/keeper.ts";
import { messageOf } from "../../core/error.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import { digestOf } from "../../guard/access/secrets.ts";
import type { Clock } from "../../guard/ports.ts";
import { rewriteSettings, settingsText } from "../../host/machine/settings-text.ts";
import { type AskedChange, changeFile } from "../../settings/change-file.ts";
import { type Environment, loadSettings, sentencesOf, withoutMark } from "../../settings/load.ts";
import type { Settings } from "../../settings/schema.ts";

type ChangeSettingsParts = Readonly<{
  /** The settings file. */
  path: string;
  env: Environment;
  clock: Clock;
  apply: (digest?: string) => Promise<KeeperReply>;
  /** The settings in force; null while they cannot be read. */
  inForce: () => Settings | null;
}>;

type Refusal = Extract<KeeperReply, { ok: false }>;

const KEPT =
  "The settings file was edited since then, so it was not restored: `config check` on the server shows its current state.";
const EDITED = "The settings file was edited since then.";
const UNAPPLIED = "The settings file has changes that are not applied: `config apply` on the server applies them.";

/**
 * Changes of the settings from the web. Checks again which settings may be changed this way: the guard may have
 * been compromised. Call one at a time.
 */
export function createChangeSettings({ path, env, clock, apply: applyFile, inForce }: ChangeSettingsParts) {
  let last: Readonly<{ at: Millis; before: string; digestAfter: string }> | null = null;

  async function apply(digest?: string): Promise<KeeperReply> {
    try {
      return await applyFile(digest);
    } catch (error) {
      return { ok: false, reason: messageOf(error), mayBeDone: true };
    }
  }

  async function change(changes: readonly AskedChange[], digest: string): Promise<KeeperReply> {
    const read = readWhole(path);
    if (!read.ok) return read;
    if (read.digest !== digest) return { ok: false, reason: EDITED };
    if (!isApplied(read.text)) return { ok: false, reason: UNAPPLIED };
    const changed = changeFile(read.text, changes, env);
    if (!changed.ok) return { ok: false, reason: sentencesOf(changed.problems) };
    // Applies nothing, so that a compromised guard cannot apply edits that are only in the file.
    if (changed.lines.length === 0) return { ok: false, reason: "Already set." };
    const applied = await replace(read.text, changed.text);
    if (applied.ok) last = { at: clock.now(), before: read.text, digestAfter: digestOf(changed.text) };
    return applied;
  }

  /** `digest`: of the file that the caller read. */
  async function undo(digest: string): Promise<KeeperReply> {
    if (last === null || Math.abs(clock.now() - last.at) > UNDO_MS)
      return { ok: false, reason: `No change of the last ${UNDO_MS / MINUTE_MS} minutes is known.` };
    const read = readWhole(path);
    if (!read.ok) return read;
    if (read.digest !== digest || read.digest !== last.digestAfter) return { ok: false, reason: EDITED };
    if (!isApplied(read.text)) return { ok: false, reason: UNAPPLIED };
    const applied = await replace(read.text, last.before);
    if (applied.ok) last = null;
    return applied;
  }

  /** If the new text cannot be applied, restores and applies the old one, unless an edit was saved in between. */
  async function replace(before: string, after: string): Promise<KeeperReply> {
    try {
      if (!rewriteSettings(path, before, after)) return { ok: false, reason: EDITED };
    } catch (error) {
      const left = readWhole(path);
      if (!left.ok || left.text !== before) throw error;
      return { ok: false, reason: messageOf(error) };
    }
    const applied = await apply(digestOf(after));
    if (applied.ok) return applied;
    if (!rewriteSettings(path, after, before))
      return { ok: false, reason: `${applied.reason} ${KEPT}`, mayBeDone: true };
    const back = await apply(digestOf(before));
    if (back.ok) return { ok: false, reason: applied.reason };
    const note = `The settings before could not be applied again either: ${back.reason}`;
    return { ...applied, ...back, reason: `${applied.reason} ${note}` };
  }

  /** Whether all values of the text are in force. Ignores comments. */
  function isApplied(text: string): boolean {
    const loaded = loadSettings(withoutMark(text), env);
    return loaded.ok && JSON.stringify(loaded.settings) === JSON.stringify(inForce());
  }

  return { apply, change, undo };
}

function readWhole(path: string): Readonly<{ ok: true; text: string; digest: string }> | Refusal {
  try {
    const text = settingsText(path);
    return text === null ? { ok: false, reason: `${path} is missing.` } : { ok: true, text, digest: digestOf(text) };
  } catch (error) {
    return { ok: false, reason: `The settings file cannot be read: ${messageOf(error)}.` };
  }
}
