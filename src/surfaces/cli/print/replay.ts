import { printPrefix } from "../../../core/net/ip.ts";
import { plural } from "../../../core/text.ts";
import { dayAndTime } from "../../../core/time.ts";
import type { Compared, ComparedAccount, ComparedAddress } from "../../../jobs/replay/comparison.ts";
import type { ReplayReport } from "../../../jobs/replay/run-replay.ts";
import { columns, joined } from "./text.ts";

const MOST_SHOWN = 10;

export function printReplay(report: ReplayReport, file: string): string {
  const { from, to, events, differences, unreached, banned, notBanned, bannedOtherwise, spared, notSpared } = report;
  if (from === null || to === null) return `No event to replay.\n${reachOf(report.reach)}`;
  const head = `Replayed ${plural(events, "event")} from ${dayAndTime(from)} to ${dayAndTime(to)} under ${file}.`;
  if (report.identical) return [head, "Nothing differs.", reachOf(report.reach)].join("\n");
  const lost =
    unreached > 0 &&
    `${plural(unreached, "more event")} would not have happened: an earlier step of the same connection or sign-in would have been refused.`;
  const differ = `${plural(differences, "decision")} ${differences === 1 ? "differs" : "differ"}.`;
  return joined("\n\n", [
    `${head}\n${joined(" ", [differ, lost])}`,
    addresses("Would have been banned, but was not", banned),
    addresses("Would not have been banned, but was", notBanned),
    addresses("Would have been banned more often, or less", bannedOtherwise),
    addresses("Would have been protected from a ban, but was not", spared),
    addresses("Would not have been protected from a ban, but was", notSpared),
    changed(report),
    accounts(report.accounts),
    section("Most affected addresses", report.mostAffected.length, report.mostAffected.map(affectedCells)),
    section("First differences", report.examples.length, report.examples.slice(0, MOST_SHOWN).map(exampleCells)),
    reachOf(report.reach),
  ]);
}

function addresses(title: string, { total, items }: ReplayReport["banned"]): string {
  if (total === 0) return "";
  const cells = items
    .slice(0, MOST_SHOWN)
    .map((item) => [`  ${printPrefix(item.prefix)}`, dayAndTime(item.firstAt), item.reason ?? "-", bansOf(item)]);
  return section(title, total, cells);
}

function accounts({ total, items }: ReplayReport["accounts"]): string {
  const cells = items
    .slice(0, MOST_SHOWN)
    .map((item) => [`  ${item.account}`, item.ip, dayAndTime(item.firstAt), hitOf(item)]);
  return section("Accounts of this server that would have been refused, but were not", total, cells);
}

function hitOf({ events, isBanned, reason }: ComparedAccount): string {
  return `${plural(events, "time")}${isBanned ? ", banned" : reason === null ? "" : `, ${reason}`}`;
}

function bansOf({ bansThen, bansNow }: ComparedAddress): string {
  return bansThen === bansNow ? "" : `${plural(bansThen, "ban")} then, ${bansNow} now`;
}

function affectedCells(item: ComparedAddress): readonly string[] {
  const harder = item.harder > 0 && `${plural(item.harder, "event")} decided more strictly`;
  const milder = item.milder > 0 && `${item.milder} less strictly`;
  return [`  ${printPrefix(item.prefix)}`, joined(", ", [harder, milder, bansOf(item)])];
}

function exampleCells({ at, event, ip, verdictThen, reasonThen, verdictNow, reasonNow }: Compared): readonly string[] {
  const then = `${verdictThen ?? "-"}${reasonThen === null ? "" : ` (${reasonThen})`}`;
  return [`  ${dayAndTime(at)}`, event, ip, `${then} then, ${verdictNow} (${reasonNow}) now`];
}

const WORDS = { refuse: "refused", defer: "deferred", hold: "held", delay: "delayed", pass: "allowed" } as const;

function changed({ changed: kinds }: ReplayReport): string {
  const rows = (["connections", "mails", "sign_ins"] as const).flatMap((kind) => {
    const counts = (["refuse", "defer", "hold", "delay", "pass"] as const).flatMap((verdict) =>
      kinds[kind][verdict] === 0 ? [] : [`${kinds[kind][verdict]} now ${WORDS[verdict]}`],
    );
    return counts.length === 0 ? [] : [[`  ${kind.replace("_", "-")}`, counts.join(", ")]];
  });
  return rows.length === 0 ? "" : `Would be decided otherwise:\n${columns(rows)}`;
}

function section(title: string, total: number, rows: readonly (readonly string[])[]): string {
  if (total === 0) return `${title}: none`;
  const more = total > rows.length ? `\n  and ${total - rows.length} more (--json)` : "";
  return `${title} (${total}):\n${columns(rows)}${more}`;
}

/** A note about skipped events; empty if there are none. */
export function leftOut({ cut, windowsFilled }: Pick<ReplayReport["reach"], "cut" | "windowsFilled">): string {
  if (!cut) return "";
  const low = " Counts over long times, such as the mails of a day, started too low, so more may be refused.";
  return `Only the newest events were compared.${windowsFilled ? "" : low}`;
}

function reachOf(reach: ReplayReport["reach"]): string {
  const { firstEvent, summedUpTo, unreadable, settingsApplied } = reach;
  const why = joined("; ", [
    firstEvent !== null && `The first event that can be replayed is from ${dayAndTime(firstEvent)}`,
    summedUpTo !== null && "older ones were aggregated (events.max_age, events.max_rows, events.max_size)",
    summedUpTo === null && unreadable > 0 && `${unreadable} before it were recorded by an older version`,
  ]);
  return joined("\n", [
    firstEvent !== null && joined(" ", [`${why}.`, leftOut(reach)]),
    settingsApplied > 0 &&
      `Settings were applied ${plural(settingsApplied, "time")} during this period: earlier decisions may differ only because of that.`,
    "Unknown: sign-ins without an outcome, what a rejected client would have done next (its password counts as wrong), what the firewall dropped, and what other block lists would have said.",
  ]);
}
