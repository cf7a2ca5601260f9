import * as z from "zod/mini";
import type { Policy } from "../core/decide/policy.ts";
import type { Prefix } from "../core/net/ip.ts";
import { type OutputOf, object, objects, text } from "./declare/fields.ts";
import { count, list, meaning, records, time } from "./declare/kinds.ts";
import { ADMIN, changes, PROVEN_ADMIN, reads, verb } from "./declare/verb.ts";

/**
 * The settings, as the dashboard and the API see and change them. The guard decides everything, the keeper writes
 * the file. The command line edits the file itself (`configSet` in surfaces/cli/verbs/settings/config.ts).
 */

/** How many settings may be changed at once. */
export const MOST_CHANGES = 20;
/** Enough for the longest list that may be changed (`recipients.blocked`). */
export const VALUE_CHARACTERS = 16_384;

const toml = z.string().check(z.describe("As written in ghostinbox.toml."));
/** Digest of the settings file, which shows whether someone edited it in between. It reveals nothing about the text. */
const digest = (says: string) =>
  z.string().check(z.regex(/^[0-9a-f]{64}$/, "is not the digest of a list or a preview"), z.describe(says));
const keys = () => list(z.string());

const FORMS = ["switch", "number", "decimal", "duration", "size", "choice", "text", "list"] as const;
const undoable = object(() => ({ until: time, keys: keys(), by: z.string() }));
const setting = object(() => ({
  key: z.string(),
  value: meaning(z.string(), "As the server uses it, as written in ghostinbox.toml."),
  isHidden: meaning(z.boolean(), "The value is not shown: a secret, or a text that could lead to one."),
  inFile: meaning(z.nullable(toml), "The value in the file, if that is not in force yet."),
  from: meaning(z.string(), "`default`, `profile small`, `file`, or the environment variable."),
  line: meaning(z.nullable(count), "Its line in the file."),
}));
/** The same with what the web adds from the settings reference. */
const described = object(() => ({
  ...setting().shape,
  default: toml,
  says: z.string(),
  takes: z.string(),
  form: z.object({
    type: z.enum(FORMS),
    least: z.nullable(z.string()),
    most: z.nullable(z.string()),
    choices: keys(),
    of: meaning(z.nullable(z.enum(FORMS)), "For a list: the form of its items."),
  }),
  whyNot: meaning(z.nullable(z.string()), "Why it cannot be changed here; null: it can."),
}));
export type SettingValue = OutputOf<typeof setting>;
export type UndoItem = OutputOf<typeof undoable>;
export type SettingsList = Readonly<{ values: readonly SettingValue[]; digest: string; undo: UndoItem | null }>;
export const settingList = object(() => ({
  items: list(described()),
  digest: z.string(),
  undo: meaning(z.nullable(undoable()), "The last change over the web, while it can be undone."),
}));
export type SettingsAnswer = OutputOf<typeof settingList>;

/** `lines`: changes to lines of the file; `line`: the number of the first one in the new file. */
const fileChange = object(() => ({
  problems: meaning(records({ key: z.string(), says: z.string() }), "If there are any, everything else is empty."),
  lines: records({ key: z.string(), line: z.nullable(count), removed: keys(), added: keys() }),
  values: records({ key: z.string(), was: toml, is: toml }),
  restarts: meaning(keys(), "Programs that restart because of the changes."),
  warnings: keys(),
  digest: z.string(),
}));
type FileChange = z.output<ReturnType<typeof fileChange>>;
export type ChangedValue = FileChange["values"][number];
export type TrialPolicy = Readonly<{ policy: Policy; allowNow: readonly Prefix[]; proxies: readonly Prefix[] }>;
/** `trial` null: no decision depends on the changes. */
export type SettingsPreview = Readonly<FileChange & { trial: TrialPolicy | null }>;
const address = object(() => ({ ip: z.string(), bans: count, reason: z.nullable(z.string()), firstAt: time }));
const account = object(() => ({ account: z.string(), ip: z.string(), events: count, reason: z.nullable(z.string()) }));
const some = <S extends z.ZodMiniType>(item: S, says: string) =>
  meaning(z.object({ total: count, items: meaning(list(item), "At most 20.") }), says);
export const preview = object(() => ({
  ...fileChange().shape,
  trial: meaning(
    z.nullable(
      z.object({
        outcome: z.enum(["done", "too_long", "busy"]),
        events: count,
        from: z.nullable(time),
        to: z.nullable(time),
        cut: meaning(z.boolean(), "There were more events, so the oldest ones were skipped."),
        banned: some(address(), "Addresses that would have been banned, but were not."),
        notBanned: some(address(), "Addresses that were banned, but would not have been."),
        accounts: some(account(), "Accounts of this server that would have been refused or delayed, but were not."),
      }),
    ),
    "What these limits would have done in the last 7 days; null if they affect no decision.",
  ),
}));
export type PreviewAnswer = OutputOf<typeof preview>;

const changed = object(() => ({
  changed: keys(),
  detail: meaning(z.string(), "What was reloaded."),
  restarts: keys(),
  undoUntil: z.nullable(time),
  recorded: meaning(z.boolean(), "False: it is in force, but no record of it could be stored."),
}));

/** The key, and its value as JSON; null restores the default. */
const newValues = objects(MOST_CHANGES, { key: text(64), value: z.nullable(text(VALUE_CHARACTERS)) });
const item = z.string("is not a value of a setting").check(z.maxLength(200, "has more than 200 characters"));
const value = z
  .union([z.number(), z.boolean(), item, z.array(z.union([z.number(), item])).check(z.maxLength(1_000)), z.null()])
  .check(z.describe("The value as in the file; null restores the default."));
export const changesByKey = z.pipe(
  z.record(z.string().check(z.maxLength(64)), value, "is missing, or no object of settings").check(
    z.refine((given) => Object.keys(given).length > 0, "is empty"),
    z.refine((given) => Object.keys(given).length <= MOST_CHANGES, `has more than ${MOST_CHANGES} settings`),
    z.describe("Values by the names of settings."),
  ),
  z.transform((given) =>
    Object.entries(given).map(([key, to]) => ({ key, value: to === null ? null : JSON.stringify(to) })),
  ),
);

const PREVIEW = { dryRun: "It changes nothing itself." };

export const SETTINGS_VERBS = [
  verb("settings_list", ADMIN, {}, reads<SettingsList>("values")),
  /** What changes to the settings file would do. Writes nothing. */
  verb("settings_preview", ADMIN, { changes: newValues }, reads<SettingsPreview>("problems", PREVIEW)),
  verb(
    "settings_apply",
    PROVEN_ADMIN,
    { changes: newValues, digest: digest("The digest of the preview: the file must be unchanged since.") },
    changes(changed, "settings", "The preview of the settings tries the same changes."),
  ).http("POST /settings", "Changes settings in the file, keeps its comments, and applies it.", {
    fields: { changes: changesByKey },
  }),
  verb(
    "settings_undo",
    PROVEN_ADMIN,
    { digest: digest("The digest of the list that showed the change: the file must be unchanged since.") },
    changes(changed, "settings", "The list of the settings says what can be undone."),
  ).http("POST /settings/undo", "Restores the settings file from before the last change here."),
] as const;
