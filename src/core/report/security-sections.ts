import { plural } from "../text.ts";
import { bars, line, type Section, table } from "./document.ts";
import type { DayFigures, ReportFacts } from "./facts.ts";
import { minute, number } from "./words.ts";

/** Sign-ins, addresses, bans, and what administrators did. */
export function securitySections(facts: ReportFacts): readonly Section[] {
  return [signIns(facts), addresses(facts), bans(facts), audit(facts)];
}

function signIns({ days, triedNames }: ReportFacts): Section {
  const [failed, refused] = [sum(days, "failed"), sum(days, "refused")];
  const names = triedNames.map(({ name, failed: tries, isAccount }) => [
    name,
    number(tries),
    isAccount ? "an account here" : "no account here",
  ]);
  return {
    title: "Sign-ins",
    blocks: [
      line(
        `${number(failed)} failed, ${number(refused)} refused without a check, ${number(sum(days, "signedIn"))} succeeded.`,
      ),
      ...bars(
        "Failed and refused sign-ins by day",
        days.map((one) => ({ label: one.day, value: one.failed + one.refused })),
      ),
      ...(names.length === 0 ? [] : [table(["NAME TRIED", "FAILED", ""], names, "")]),
    ],
  };
}

function addresses({ addresses: found, looked }: ReportFacts): Section {
  const rows = found.map(({ ip, signIns: tries, mails, connections, isBanned }) => [
    ip,
    ...[tries, mails, connections].map(number),
    isBanned ? "banned" : "",
  ]);
  const part = looked.isAll ? [] : [line(`Counted from the newest ${number(looked.events)} events that are kept.`)];
  return {
    title: "Addresses that were refused most",
    blocks: [table(["ADDRESS", "SIGN-INS", "MAILS", "CONNECTIONS", "NOW"], rows, "No address was refused."), ...part],
  };
}

function bans({ bans: { standing, byReason } }: ReportFacts): Section {
  const added = byReason.reduce((n, { count }) => n + count, 0);
  const rows = byReason.map(({ count, says }) => [number(count), says]);
  return {
    title: "Bans",
    blocks: [
      line(`${plural(standing, "ban")} in force; ${number(added)} added in this time.`),
      ...(rows.length === 0 ? [] : [table(["BANS", "REASON"], rows, "")]),
    ],
  };
}

function audit({ audit: { total, byType, latest } }: ReportFacts): Section {
  const counts = byType.map(({ type, count }) => `${type} ${number(count)}`).join(", ");
  const rows = latest.map(({ at, actor, type, subject }) => [minute(at), actor, type, subject]);
  return {
    title: "What administrators did",
    blocks: [
      line(
        total === 0 ? "Nothing was done by command." : `${plural(total, "entry", "entries")} of the audit: ${counts}.`,
      ),
      ...(rows.length === 0 ? [] : [table(["TIME", "BY", "WHAT", "TO WHAT"], rows, "")]),
    ],
  };
}

export function sum(days: readonly DayFigures[], key: Exclude<keyof DayFigures, "day">): number {
  return days.reduce((all, one) => all + one[key], 0);
}
