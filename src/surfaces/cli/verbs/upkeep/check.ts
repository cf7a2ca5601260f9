import { CHECK_STATES } from "../../../../admin/declare/reports.ts";
import { plural } from "../../../../core/text.ts";
import { lockHolder } from "../../../../host/running/data-directory.ts";
import { diskTrouble } from "../../../../host/running/failure.ts";
import { type CheckRecord, changeCheckRecord, noted, readCheckRecord } from "../../../../jobs/check/check-record.ts";
import type { Layout } from "../../../../settings/layout.ts";
import { type Answer, type Call, done, failed, wrongUsage } from "../../call.ts";
import { type State, serverOf } from "../../check/check.ts";
import {
  groupsOfPoints,
  type JudgedPoint,
  judgePoints,
  type LeftOpen,
  leftOpen,
  type PointState,
} from "../../check/going-live.ts";
import { groups, type Result, runChecks } from "../../check/run-checks.ts";
import { oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";

export async function check(call: Call): Promise<Answer> {
  const only = call.option("only");
  const isChecklist = call.flag("before-going-live");
  if (isChecklist && only !== null) return wrongUsage("--before-going-live has its own groups.", "Omit --only.");
  const wanted = isChecklist ? groupsOfPoints() : groups.map(({ name }) => name);
  const chosen = groups.filter(({ name }) => (only === null ? wanted.includes(name) : name === only));
  if (chosen.length === 0)
    return wrongUsage(
      `The group "${oneLine(only ?? "")}" does not exist.`,
      `Groups: ${groups.map(({ name }) => name).join(", ")}.`,
    );
  const running = await call.guard.ask({ verb: "ping" });
  // Without the guard, the checks still run if the rest of the server does.
  if (!running.ok && lockHolder(call.layout.startPid) === null) return running;
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const checks = chosen.reduce((sum, group) => sum + Object.keys(group.checks).length, 0);
  call.terminal.progress(`Running ${plural(checks, "check")} ...`);
  const results = await runChecks(chosen, serverOf(call, loaded.settings, call.flag("send-test")));
  const before = readCheckRecord(call.layout);
  const unkept = keepResults(call.layout, noted(before, results, call.now(), chosen.length === groups.length));
  if (unkept !== null) call.terminal.err(`The results could not be stored for the next comparison. ${unkept}`);
  return isChecklist
    ? checklistOf(judgePoints(results), leftOpen(loaded.settings))
    : outcomeOf(results, changesSince(before, results));
}

/**
 * Stores the results. Returns the disk's trouble if they cannot be stored, but does not throw, because they are then all the more
 * worth printing. Exported for its test.
 */
export function keepResults(layout: Layout, record: CheckRecord): string | null {
  try {
    changeCheckRecord(layout, record);
    return null;
  } catch (error) {
    const trouble = diskTrouble(error, "check again");
    if (trouble === null) throw error;
    return trouble;
  }
}

type Change = Readonly<{ id: string; from: State; to: State }>;

export function changesSince({ checks }: Pick<CheckRecord, "checks">, results: readonly Result[]): readonly Change[] {
  return results.flatMap(({ id, state }) => {
    const from = checks[id]?.state ?? state;
    return from === state ? [] : [{ id, from, to: state }];
  });
}

/** Exported for its test. */
export function outcomeOf(results: readonly Result[], changed: readonly Change[]): Answer {
  const count = (state: State): number => results.filter((result) => result.state === state).length;
  const counts = Object.fromEntries(CHECK_STATES.map((state) => [state, count(state)]));
  const bad = count("wrong");
  const json = { ok: bad === 0, counts, changed, checks: results };
  const news = changed.map(({ id, from, to }) => `Changed since the last check: ${id} was ${from}, and is ${to}.`);
  const lines = [...results.flatMap(resultLines), ...news];
  const sum = `${plural(results.length, "check")}: ${CHECK_STATES.map((state) => `${count(state)} ${state}`).join(", ")}.`;
  if (bad === 0) return done(json, [...lines, sum].join("\n"));
  return failed(
    `${sum} ${plural(bad, "check")} found something wrong.`,
    "Each line that starts with `fix` says what to do.",
    { lines, json },
  );
}

const MARKS: Readonly<Record<PointState, string>> = { done: "[x]", open: "[ ]", unknown: "[?]" };

/** Exported for its test. */
export function checklistOf(points: readonly JudgedPoint[], left: readonly LeftOpen[]): Answer {
  const open = points.filter(({ state }) => state === "open").length;
  const unsure = points.filter(({ state }) => state === "unknown").length;
  const lines = [
    ...points.flatMap(({ point, state, checks }) => [
      `${MARKS[state]} ${point}`,
      ...checks.flatMap(resultLines).map((line) => `    ${line}`),
    ]),
    ...(left.length === 0 ? [] : ["", "Your settings leave this open:"]),
    ...left.flatMap(({ setting, leaves, change }) => [`    ${setting}: ${leaves}`, `         change: ${change}`]),
  ];
  const json = { ok: open === 0, points, leftOpen: left };
  const sum = `Done: ${points.length - open - unsure} of ${points.length}`;
  const rest = unsure === 0 ? "" : `; ${unsure} could not be checked from here: check those marked [?] yourself`;
  if (open === 0) return done(json, [...lines, `${sum}${rest}.`].join("\n"));
  return failed(`${sum}; ${open} open${rest}.`, "Each line that starts with `fix` says what to do.", { lines, json });
}

function resultLines({ id, state, evidence, did, mend }: Result): readonly string[] {
  const lines = [`${state.padEnd(8)} ${id}: ${evidence}`, `         did: ${did}`];
  return mend === null ? lines : [...lines, `         fix: ${mend}`];
}
