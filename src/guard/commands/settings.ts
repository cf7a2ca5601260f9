import { createHmac, randomBytes } from "node:crypto";
import type { CommandError, ParsedCommandOf, Reply } from "../../admin/declare/control.ts";
import { type KeeperReply, UNDO_MS } from "../../admin/declare/keeper.ts";
import type { ChangedValue, SettingsPreview, TrialPolicy } from "../../admin/settings.ts";
import { oneAfterAnother } from "../../core/one-after-another.ts";
import { asSentence } from "../../core/text.ts";
import { isoTime, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import { changeFile } from "../../settings/change-file.ts";
import { warningsOf } from "../../settings/conflicts.ts";
import { type Environment, loadSettings, sentencesOf, type ValidSettings, withoutMark } from "../../settings/load.ts";
import { programsToRestart } from "../../settings/program-settings.ts";
import { showSettings, stillInForce } from "../../settings/show.ts";
import { replayPolicy, toPolicy } from "../../settings/to-policy.ts";
import { isHiddenFromWeb } from "../../settings/web-changes.ts";
import { digestOf } from "../access/secrets.ts";
import type { Keeper } from "../admin-ports.ts";
import { Budget } from "../budget.ts";
import type { Clock, Failed } from "../ports.ts";
import { UNWRITTEN, uncertain } from "./record-first.ts";
import { failed, usage } from "./refusals.ts";
import type { RunsOf } from "./run-of.ts";
import {
  pending as changesInFile,
  type ReloadCommandParts,
  recordOf,
  reload,
  undone,
  unreadable,
  valuesOf,
  wrongFile,
} from "./settings-file.ts";

/** Both read the whole file several times, in the thread that decides on mail, which takes up to a tenth of a second. */
const LISTS_A_MINUTE = 30;
const PREVIEWS_A_MINUTE = 30;
const HIDDEN = "(secret)";

export type SettingsText = Readonly<{ ok: true; text: string; env: Environment }> | Failed;

export type SettingsCommandParts = ReloadCommandParts &
  Readonly<{
    /** The settings file, and the environment variables of the server. */
    settingsText: () => SettingsText;
    keeper: Keeper;
    clock: Clock;
  }>;

type ReadFile = Extract<SettingsText, { ok: true }> & Readonly<{ loaded: ValidSettings }>;
type LastChange = Readonly<{
  at: Millis;
  textAfter: string;
  keys: readonly string[];
  values: readonly ChangedValue[];
  by: string;
}>;

export type SettingsCommands = ReturnType<typeof createSettingsCommands>;

/** The settings as the dashboard and the API see and change them. The file belongs to root: the keeper writes and applies it. */
export function createSettingsCommands(parts: SettingsCommandParts) {
  const { keeper, clock, engine } = parts;
  /** Lets the web distinguish files, without letting it test guesses at their text. */
  const secret = randomBytes(32);
  const lists = new Budget(LISTS_A_MINUTE, MINUTE_MS);
  const previews = new Budget(PREVIEWS_A_MINUTE, MINUTE_MS);
  let last: LastChange | null = null;
  /** Serializes concurrent changes: the next one then finds the file edited. */
  const inTurn = oneAfterAnother();
  const markOf = (text: string): string => createHmac("sha256", secret).update(text).digest("hex");

  const readFile = (): ReadFile | CommandError => {
    const read = parts.settingsText();
    if (!read.ok) return unreadable("The settings file cannot be read.");
    const loaded = loadSettings(withoutMark(read.text), read.env);
    return loaded.ok ? { ...read, loaded } : wrongFile(loaded.problems);
  };

  /** For a change: the web must have seen the current file, and must not apply edits made on the server that are not applied yet. */
  const readUnedited = (digest: string, next: string): ReadFile | CommandError => {
    const read = readFile();
    if (!read.ok) return read;
    if (markOf(read.text) !== digest) return failed("The settings file was edited since then.", next);
    const pending = changesInFile(parts);
    if (!pending.ok) return wrongFile([]);
    const { changed } = pending.result;
    if (changed.length === 0) return read;
    const message = `The settings file has changes that are not applied yet: ${changed.join(", ")}.`;
    return failed(message, "Apply them on the server with `config apply`, then try again.");
  };

  const undoable = (text: string) => {
    if (last === null || last.textAfter !== text || Math.abs(clock.now() - last.at) > UNDO_MS) return null;
    return { until: isoTime(later(last.at, UNDO_MS)), keys: last.keys, by: last.by };
  };

  /** Call it before the change, so that none lacks a record if the guard ends in between. Returns false if it cannot be written. */
  const record = (subject: string, by: string): Promise<boolean> =>
    engine.audit({ type: "SETTINGS_APPLIED", subject, by });

  /** Records that a keeper which did not answer in time may have written the file, or may still write it. */
  const notApplied = async ({ reason, mayBeDone }: Extract<KeeperReply, { ok: false }>, says: string, by: string) => {
    await record(`${mayBeDone === true ? "perhaps" : "not done"}: ${says}`, by);
    if (mayBeDone !== true) return failed(`Nothing was changed: ${asSentence(reason)}`, LOOK_AGAIN);
    const next = "`config show` on the server shows what is in force; `config apply` completes the change.";
    return uncertain(`The change may or may not be in force: ${asSentence(reason)}`, next);
  };

  /** After the keeper has applied the file, loads it in the guard too, and restarts programs that read it only at their start. */
  const inForce = (keys: readonly string[], detail: string): Reply<"settings_apply"> => {
    const outcome = parts.reload();
    if (!outcome.ok) return uncertain(`Not everything is in force: ${outcome.reason}`, "`status` shows what is wrong.");
    const changed = outcome.changed.length === 0 ? keys : outcome.changed;
    const restarts = programsToRestart(changed);
    // Not awaited, because the answer goes through the web, which may restart but finishes its current requests.
    for (const service of restarts) void keeper.ask({ verb: "restart", service });
    const undoUntil = last === null ? null : isoTime(later(last.at, UNDO_MS));
    return { ok: true, result: { changed, detail, restarts, undoUntil, recorded: true } };
  };

  return {
    list: (): Reply<"settings_list"> => {
      if (!lists.spend(clock.now())) return ENOUGH_LISTS;
      const read = readFile();
      if (!read.ok) return read;
      const { loaded, text } = read;
      const pending = changesInFile(parts);
      if (!pending.ok) return wrongFile([]);
      const present = stillInForce(pending.result);
      const values = showSettings(loaded.sources, isHiddenFromWeb).map(({ key, value, from, line }) => {
        const still = present.get(key);
        const isHidden = value === HIDDEN || (still !== undefined && isHiddenFromWeb(key));
        const now = still === undefined ? value : isHidden ? HIDDEN : still;
        return { key, value: now, isHidden, inFile: still === undefined ? null : value, from, line };
      });
      return { ok: true, result: { values, digest: markOf(text), undo: undoable(text) } };
    },

    preview: ({ changes }: ParsedCommandOf<"settings_preview">): Reply<"settings_preview"> => {
      if (!previews.spend(clock.now())) return ENOUGH_PREVIEWS;
      const read = readFile();
      if (!read.ok) return read;
      const digest = markOf(read.text);
      const changed = changeFile(read.text, changes, read.env);
      if (!changed.ok) return { ok: true, result: { ...NO_PREVIEW, problems: changed.problems, digest } };
      const { before, after, lines } = changed;
      const values = valuesOf(changed);
      const known = new Set(warningsOf(before.settings).map(({ says }) => says));
      const warnings = warningsOf(after.settings).flatMap(({ says }) => (known.has(says) ? [] : says));
      const restarts = programsToRestart(values.map(({ key }) => key));
      return {
        ok: true,
        result: { problems: [], lines, values, restarts, warnings, digest, trial: trialOf(before, after) },
      };
    },

    apply: ({ changes, digest }: ParsedCommandOf<"settings_apply">, by: string) =>
      inTurn(async (): Promise<Reply<"settings_apply">> => {
        const read = readUnedited(digest, LOOK_AGAIN);
        if (!read.ok) return read;
        const changed = changeFile(read.text, changes, read.env);
        if (!changed.ok) return usage(sentencesOf(changed.problems), "Nothing was changed.");
        if (changed.lines.length === 0) return failed("Nothing to change: the settings have these values already.", "");
        const keys = [...new Set(changed.lines.map(({ key }) => key))];
        const values = valuesOf(changed);
        const says = recordOf(values, keys);
        if (!(await record(says, by))) return UNWRITTEN;
        const done = await keeper.ask({ verb: "change_settings", changes, digest: digestOf(read.text) });
        if (!done.ok) return notApplied(done, says, by);
        last = { at: clock.now(), textAfter: changed.text, keys, values, by };
        return inForce(keys, done.detail);
      }),

    undo: ({ digest }: ParsedCommandOf<"settings_undo">, by: string) =>
      inTurn(async (): Promise<Reply<"settings_undo">> => {
        const read = readUnedited(digest, "Look at the last change, then undo it.");
        if (!read.ok) return read;
        const { keys, values } = undoable(read.text) === null ? UNKNOWN : (last ?? UNKNOWN);
        const says = `undone: ${recordOf(undone(values), keys) || "the last change"}`;
        if (!(await record(says, by))) return UNWRITTEN;
        const done = await keeper.ask({ verb: "undo_settings", digest: digestOf(read.text) });
        if (!done.ok) return notApplied(done, says, by);
        last = null;
        return inForce(keys, done.detail);
      }),
  };
}

const UNKNOWN: Pick<LastChange, "keys" | "values"> = { keys: [], values: [] };
const ENOUGH_LISTS = failed(`The settings were listed ${LISTS_A_MINUTE} times within a minute.`, "Try again later.");
const ENOUGH_PREVIEWS = failed(
  `Changes were previewed ${PREVIEWS_A_MINUTE} times within a minute.`,
  "Try again later.",
);
const LOOK_AGAIN = "Look at the changes again, then apply them.";
const NO_PREVIEW: Omit<SettingsPreview, "problems" | "digest"> = {
  lines: [],
  values: [],
  restarts: [],
  warnings: [],
  trial: null,
};

/** Null if every event would be decided as before. */
function trialOf(before: ValidSettings, after: ValidSettings): TrialPolicy | null {
  const policy = toPolicy(after.settings);
  if (JSON.stringify(policy) === JSON.stringify(toPolicy(before.settings)) || policy.simulate) return null;
  return replayPolicy(after.settings, before.settings);
}

export const SETTINGS_RUNS = {
  settings_list: (_, __, ___, { settings }) => settings.list(),
  settings_preview: (_, command, __, { settings }) => settings.preview(command),
  settings_apply: (_, command, by, { settings }) => settings.apply(command, by),
  settings_undo: (_, command, by, { settings }) => settings.undo(command, by),
  pending: changesInFile,
  reload: (parts, _, by) => reload(parts, by),
} satisfies RunsOf<ReloadCommandParts, Readonly<{ settings: SettingsCommands }>>;
