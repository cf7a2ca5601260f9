import type { ReplayReport } from "../../../admin/declare/replay-items.ts";
import type { SettingsPreview, SettingValue, TrialPolicy } from "../../../admin/declare/settings-items.ts";
import { DAY_MS, later, type Millis } from "../../../core/time.ts";
import { canonicalDefault, isSettingKey, settingOf, variableOf } from "../../../settings/schema.ts";
import { whyNotOverWeb } from "../../../settings/web-changes.ts";
import { command } from "../derived.ts";
import type { Handlers } from "../handlers.ts";
import type { TrialOutcome, Trials } from "../ports.ts";
import { type Route, route } from "../route.ts";
import * as shape from "./settings-schemas.ts";

/** Room for 200 names of `recipients.blocked` of 64 characters each. */
const BODY_BYTES = 32_768;
/** Age and number of the recorded events on which changed limits are tried: some seconds of work. */
const LOOKED_BACK_MS = 7 * DAY_MS;
const MOST_EVENTS = 50_000;
const MOST_LISTED = 20;

type Changes = Readonly<Record<string, unknown>>;

/** The settings as the dashboard shows and changes them. The guard decides everything, the keeper writes the file. */
export function settingsRoutes({ parts }: Pick<Handlers, "parts">): readonly Route[] {
  const { guard, trials, clock } = parts;
  return [
    route(
      "GET /api/v1/settings",
      "Every setting: value, default, origin, what it does, and whether it may be changed here.",
      {
        asks: "settings_list",
        needs: "admin",
        answer: shape.settingList,
        run: ({ by }) =>
          command(guard, by, { verb: "settings_list" }, ({ values, digest, undo }) => ({
            items: values.flatMap(itemOf),
            digest,
            undo: undo === null ? null : { ...undo, keys: [...undo.keys] },
          })),
      },
    ),
    route(
      "POST /api/v1/settings/preview",
      "What changes of settings would come to: problems, lines of the file, and what limits would have done of late.",
      {
        asks: "settings_preview",
        bodyBytes: BODY_BYTES,
        body: shape.previewRequest,
        answer: shape.preview,
        run: async ({ by, body }) => {
          const asked = { verb: "settings_preview", changes: changesIn(body.changes) } as const;
          const found = await command(guard, by, asked, (result) => result);
          return found instanceof Response ? found : previewOf(found, await trialOf(trials, found.trial, clock.now()));
        },
      },
    ),
    route(
      "POST /api/v1/settings",
      "Changes settings in the file, with its comments, and applies it. Needs a fresh proof.",
      {
        asks: "settings_apply",
        bodyBytes: BODY_BYTES,
        body: shape.applyRequest,
        answer: shape.changed,
        run: ({ by, body }) =>
          command(
            guard,
            by,
            { verb: "settings_apply", changes: changesIn(body.changes), digest: body.digest },
            changedOf,
          ),
      },
    ),
    route(
      "POST /api/v1/settings/undo",
      "Restores the settings file from before the last change here. Needs a fresh proof.",
      {
        asks: "settings_undo",
        bodyBytes: 128,
        body: shape.undoRequest,
        answer: shape.changed,
        run: ({ by, body }) => command(guard, by, { verb: "settings_undo", digest: body.digest }, changedOf),
      },
    ),
  ];
}

function changesIn(changes: Changes) {
  return Object.entries(changes).map(([key, value]) => ({ key, value: value === null ? null : JSON.stringify(value) }));
}

/** Another version of the guard may know other settings. */
function itemOf(value: SettingValue) {
  const { key } = value;
  if (!isSettingKey(key)) return [];
  const { says, kind } = settingOf(key);
  const isOfVariable = value.from === variableOf(key);
  const why = whyNotOverWeb(key);
  const whyNot = why === null && isOfVariable ? `${value.from} sets it: start the server without that variable.` : why;
  const form = { ...kind.form, choices: [...kind.form.choices] };
  return [{ ...value, default: canonicalDefault(key), says, takes: kind.accepts, form, whyNot }];
}

function changedOf<C extends Readonly<{ changed: readonly string[]; restarts: readonly string[] }>>(result: C) {
  return { ...result, changed: [...result.changed], restarts: [...result.restarts] };
}

async function trialOf(trials: Trials, trial: TrialPolicy | null, now: Millis): Promise<TrialOutcome | null> {
  if (trial === null) return null;
  return trials.decide({ ...trial, since: later(now, -LOOKED_BACK_MS), only: null, mostEvents: MOST_EVENTS, now });
}

function previewOf(found: SettingsPreview, trial: TrialOutcome | null) {
  return {
    problems: [...found.problems],
    lines: found.lines.map((one) => ({ ...one, removed: [...one.removed], added: [...one.added] })),
    values: [...found.values],
    restarts: [...found.restarts],
    warnings: [...found.warnings],
    digest: found.digest,
    trial: trial === null ? null : trialShown(trial),
  };
}

function trialShown(trial: TrialOutcome) {
  const { outcome } = trial;
  if (trial.outcome !== "done") {
    const none = { total: 0, items: [] };
    return { outcome, events: 0, from: null, to: null, cut: false, banned: none, notBanned: none, accounts: none };
  }
  const { events, from, to, reach, banned, notBanned, accounts } = trial.report;
  const addresses = ({ total, items }: ReplayReport["banned"]) => ({
    total,
    items: items.slice(0, MOST_LISTED).map(({ prefix, bansThen, bansNow, reason, firstAt }) => ({
      ip: prefix,
      bans: Math.max(bansThen, bansNow),
      reason,
      firstAt,
    })),
  });
  const hit = accounts.items.slice(0, MOST_LISTED).map(({ account, ip, events: times, reason }) => ({
    account,
    ip,
    events: times,
    reason,
  }));
  return {
    outcome,
    events,
    from,
    to,
    cut: reach.cut,
    banned: addresses(banned),
    notBanned: addresses(notBanned),
    accounts: { total: accounts.total, items: hit },
  };
}
