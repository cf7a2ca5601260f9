import * as z from "zod";
import {
  changesByKey,
  preview,
  type SettingsPreview,
  type SettingValue,
  settingList,
} from "../../../admin/settings.ts";
import { later, type Millis, WEEK_MS } from "../../../core/time.ts";
import type { ComparedAddress } from "../../../jobs/replay/comparison.ts";
import { profileDefault } from "../../../settings/profile.ts";
import { isSettingKey, readOwn, type Settings, settingOf, variableOf } from "../../../settings/schema.ts";
import { whyNotOverWeb } from "../../../settings/web-changes.ts";
import type { ApiParts, TrialOutcome, Trials } from "../ports.ts";
import { type Route, route, sendToGuard } from "../route.ts";

/** Maximum events of the last week on which changed limits are tried, which takes some seconds. */
const MOST_EVENTS = 50_000;
const MOST_LISTED = 20;

const previewRequest = z.strictObject({ changes: changesByKey });

/** Routes of settings that are not derived from `src/admin/settings.ts`, because the web adds the reference and recorded events. */
export function settingsRoutes({ guard, trials, clock }: ApiParts): readonly Route[] {
  return [
    route("GET /api/v1/settings", {
      says: "Every setting: value, default, origin, what it does, and whether it may be changed here.",
      asks: "settings_list",
      needs: "admin",
      answer: settingList(),
      run: (call) =>
        sendToGuard(guard, call, { verb: "settings_list" }, ({ values, digest, undo }) => {
          const isSmall = values.some(({ key, value }) => key === "profile" && value === '"small"');
          const items = values.flatMap((value) => itemOf(value, isSmall ? "small" : "standard"));
          return { items, digest, undo };
        }),
    }),
    route("POST /api/v1/settings/preview", {
      says: "What changed settings would do: problems, the lines of the file, and what the limits would have done recently.",
      needs: "admin",
      asks: "settings_preview",
      body: previewRequest,
      answer: preview(),
      run: async (call) => {
        const asked = { verb: "settings_preview", changes: call.body.changes } as const;
        const found = await sendToGuard(guard, call, asked, (result) => result);
        return found instanceof Response ? found : { ...found, trial: await trialOf(trials, found, clock.now()) };
      },
    }),
  ];
}

/** Empty for a setting that only another version of the guard knows. */
function itemOf(value: SettingValue, profile: Settings["profile"]) {
  const { key } = value;
  if (!isSettingKey(key)) return [];
  const { says, kind } = settingOf(key);
  const byDefault = readOwn(key, profileDefault(profile, key) ?? settingOf(key).byDefault);
  const isOfVariable = value.from === variableOf(key);
  const why = whyNotOverWeb(key);
  const whyNot = why === null && isOfVariable ? `${value.from} sets it: start the server without that variable.` : why;
  return [{ ...value, default: byDefault.toml, says, takes: kind.accepts, form: kind.form, whyNot }];
}

async function trialOf(trials: Trials, { trial }: SettingsPreview, now: Millis) {
  if (trial === null) return null;
  const span = { since: later(now, -WEEK_MS), only: null, mostEvents: MOST_EVENTS, now };
  return trialAnswer(await trials.decide({ ...trial, ...span }));
}

function trialAnswer(trial: TrialOutcome) {
  const { outcome } = trial;
  if (trial.outcome !== "done") {
    const none = { total: 0, items: [] };
    return { outcome, events: 0, from: null, to: null, cut: false, banned: none, notBanned: none, accounts: none };
  }
  const { events, from, to, reach, banned, notBanned, accounts } = trial.report;
  return {
    outcome,
    events,
    from,
    to,
    cut: reach.cut,
    banned: firstOf(banned, addressAnswer),
    notBanned: firstOf(notBanned, addressAnswer),
    accounts: firstOf(accounts, ({ account, ip, events: times, reason }) => ({ account, ip, events: times, reason })),
  };
}

function addressAnswer({ prefix, bansThen, bansNow, reason, firstAt }: ComparedAddress) {
  return { ip: prefix, bans: Math.max(bansThen, bansNow), reason, firstAt };
}

function firstOf<T, S>({ total, items }: Readonly<{ total: number; items: readonly T[] }>, show: (item: T) => S) {
  return { total, items: items.slice(0, MOST_LISTED).map(show) };
}
