import { plural } from "../text.ts";
import { span } from "../time.ts";
import {
  type DayFigures,
  day,
  daysBetween,
  formatBytes,
  growthOf,
  minute,
  number,
  numbered,
  type ReasonFigures,
  type ReportFacts,
  type ReportSpan,
  share,
} from "./figures.ts";
import { type Todo, todoOf } from "./todo.ts";

const TITLES: Readonly<Record<ReportSpan, string>> = { week: "Weekly report", month: "Monthly report" };

/** What happened, what to do, and how the server is doing. */
export function reportOf(facts: ReportFacts): Report {
  const { host, from, to, span: asked } = facts;
  const sections = SECTIONS.map(([title, blocks]) => ({ title, blocks: blocks(facts) }));
  return { title: TITLES[asked], host, from, to, todo: todoOf(facts), sections };
}

/** A report, whatever it is printed as. Every text may contain a stranger's words, which a printer makes safe for its format. */
export type Report = Readonly<{
  title: string;
  host: string;
  /** ISO 8601 in UTC. */
  from: string;
  to: string;
  /** Most important first. */
  todo: readonly Todo[];
  sections: readonly Readonly<{ title: string; blocks: readonly Block[] }>[];
}>;

/** A text is a paragraph. */
export type Block =
  | string
  | Readonly<{ type: "table"; head: readonly string[]; rows: readonly (readonly string[])[] }>
  /** A bar for each row, as long as its value; at least one is not 0. */
  | Readonly<{ type: "bars"; title: string; rows: readonly Bar[] }>;
export type Bar = Readonly<{ label: string; value: number }>;

const SECTIONS: readonly (readonly [title: string, blocks: (facts: ReportFacts) => readonly Block[]])[] = [
  ["Sign-ins", signIns],
  ["Addresses that were refused most", addresses],
  ["Bans", bans],
  ["What administrators did", audit],
  ["Mail", mail],
  ["Spam filter", spam],
  ["Updates", updates],
  ["Hardening of the machine (Lynis)", hardening],
  ["Certificate", certificate],
  ["Disk and logs", disk],
  ["Backups and restore drills", backups],
  ["Accounts", accounts],
];

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly Block[] {
  return rows.length === 0 ? [] : [{ type: "table", head, rows }];
}

function reasons(what: string, figures: readonly ReasonFigures[]): readonly Block[] {
  const rows = figures.map(({ count, says }) => [number(count), says]);
  return table([what, "REASON"], rows);
}

function bars(title: string, rows: readonly Bar[]): readonly Block[] {
  return rows.some(({ value }) => value > 0) ? [{ type: "bars", title, rows }] : [];
}

function sum(days: readonly DayFigures[], key: Exclude<keyof DayFigures, "day">): number {
  return days.reduce((all, one) => all + one[key], 0);
}

function signIns({ days, triedNames }: ReportFacts): readonly Block[] {
  const [failed, refused, signedIn] = [sum(days, "failed"), sum(days, "refused"), sum(days, "signedIn")];
  const byDay = days.map((one) => ({ label: one.day, value: one.failed + one.refused }));
  const names = triedNames.map(({ name, failed: tries, isAccount }) => [
    name,
    number(tries),
    isAccount ? "an account here" : "no account here",
  ]);
  return [
    `${number(failed)} failed, ${number(refused)} refused before the password was checked, ${number(signedIn)} succeeded.`,
    ...bars("Failed and refused sign-ins by day", byDay),
    ...table(["NAME TRIED", "FAILED", ""], names),
  ];
}

function addresses({ addresses: found, looked }: ReportFacts): readonly Block[] {
  const rows = found.map(({ ip, signIns: tries, mails, connections, isBanned }) => [
    ip,
    ...[tries, mails, connections].map(number),
    isBanned ? "banned" : "",
  ]);
  return [
    ...(rows.length === 0 ? ["No address was refused."] : []),
    ...table(["ADDRESS", "SIGN-INS", "MAILS", "CONNECTIONS", "NOW"], rows),
    ...countedFrom(looked),
  ];
}

function countedFrom({ isAll, events }: ReportFacts["looked"]): readonly string[] {
  return isAll ? [] : [`Counted from the newest ${numbered(events, "event that is", "events that are")} kept.`];
}

function bans({ bans: { standing, byReason } }: ReportFacts): readonly Block[] {
  const added = byReason.reduce((n, { count }) => n + count, 0);
  return [`${plural(standing, "ban")} in force; ${number(added)} added in this period.`, ...reasons("BANS", byReason)];
}

function audit({ audit: { total, byType, latest } }: ReportFacts): readonly Block[] {
  const counts = byType.map(({ type, count }) => `${type} ${number(count)}`).join(", ");
  const rows = latest.map(({ at, actor, type, subject }) => [minute(at), actor, type, subject]);
  return [
    total === 0 ? "Nothing was done by command." : `${plural(total, "entry")} of the audit: ${counts}.`,
    ...table(["TIME", "BY", "WHAT", "TO WHAT"], rows),
  ];
}

function mail({ days, refusals }: ReportFacts): readonly Block[] {
  const [accepted, blocked, delivered] = [sum(days, "accepted"), sum(days, "blocked"), sum(days, "delivered")];
  const byDay = days.map((one) => ({ label: one.day, value: one.accepted }));
  return [
    `${number(accepted)} arrived, ${number(blocked)} refused, ${number(delivered)} delivered.`,
    ...bars("Mails that arrived, by day", byDay),
    ...reasons("REFUSED", refusals),
  ];
}

function spam({ spam: { isOn, scored, marked, refused, missed, wrong, users, rules }, looked }: ReportFacts) {
  if (!isOn) return ["It is switched off (spam.enabled)."];
  const counts = `${numbered(scored, "mail")} scored: ${number(marked)} (${share(marked, scored)}) marked as spam; ${number(refused)} refused as spam.`;
  return [
    [counts, ...countedFrom(looked)].join(" "),
    users === 0
      ? "No user corrected it."
      : `${plural(users, "user")} corrected it: ${plural(missed, "mail")} moved into Junk, ${number(wrong)} out of it.`,
    rules === null
      ? "Its rules are those of the package; no others were fetched yet."
      : `Its rules: version ${rules.version}, last checked on ${minute(rules.at)}.${rules.failure === null ? "" : ` The last attempt failed: ${rules.failure}`}`,
  ];
}

/** How many packages are named. */
const NAMED = 10;

function updates({ updates: waiting, holes, versions, to }: ReportFacts): readonly Block[] {
  const blocks: Block[] = [`GhostInbox ${versions.own}, Node.js ${versions.node}.`];
  if (!waiting.known) blocks.push(`Waiting updates are not known: ${waiting.reason}`);
  else {
    const urgent = waiting.packages.filter(({ isSecurity }) => isSecurity).length;
    const age =
      waiting.listsAt === null ? "" : ` The lists of apt are ${plural(daysBetween(waiting.listsAt, to), "day")} old.`;
    blocks.push(`${plural(waiting.packages.length, "update")} waiting, ${number(urgent)} for security.${age}`);
    const rows = waiting.packages
      .toSorted((a, b) => Number(b.isSecurity) - Number(a.isSecurity))
      .slice(0, NAMED)
      .map(({ name, version, isSecurity }) => [name, version, isSecurity ? "security" : ""]);
    blocks.push(...table(["PACKAGE", "NEW VERSION", ""], rows));
  }
  if (!holes.known) blocks.push(`Known vulnerabilities could not be listed: ${holes.reason}`);
  else {
    blocks.push(
      `${plural(holes.fixable.length, "package has", "packages have")} known vulnerabilities with a fix; ${plural(holes.unfixed, "vulnerability has", "vulnerabilities have")} none yet.`,
    );
    const rows = holes.fixable.slice(0, NAMED).map(({ name, cves }) => [name, cves.slice(0, 3).join(" ")]);
    blocks.push(...table(["PACKAGE", "VULNERABILITIES"], rows));
  }
  return blocks;
}

function hardening({ hardening: one, to }: ReportFacts): readonly Block[] {
  if (!one.known) return [one.reason];
  const { at, index, warnings, suggestions } = one;
  const age = plural(daysBetween(at, to), "day");
  const says = `On ${day(at)}, ${age} ago: index ${index} of 100, ${plural(warnings.length, "warning")}, ${plural(suggestions, "suggestion")}.`;
  const rows = warnings.slice(0, NAMED).map(({ test, says: warning }) => [test, warning]);
  return [says, ...table(["TEST", "WARNING"], rows)];
}

function certificate({ certificate: one, to }: ReportFacts): readonly Block[] {
  if (!one.known) return [one.reason];
  const left = daysBetween(to, one.validTo);
  const until = left < 0 ? `expired on ${day(one.validTo)}` : `${plural(left, "day")} left, until ${day(one.validTo)}`;
  const kind = one.isOwn ? " It is self-signed." : "";
  return [`${one.names.join(", ")}: ${until}.${kind}`];
}

function disk({ disk: one, to }: ReportFacts): readonly Block[] {
  if (!one.known) return [one.reason];
  const { freeBytes, totalBytes, logBytes, databaseBytes, history, path } = one;
  const growth = growthOf(one, to);
  const fullAt = growth?.fullAt ?? null;
  const full = fullAt === null ? "It will not be full soon." : `It will be full on ${day(fullAt)} at this rate.`;
  const byDay = history
    .slice(-14)
    .map(({ day: label, usedBytes }) => ({ label, value: Math.round(usedBytes / 1024 ** 2) }));
  return [
    `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free (${share(freeBytes, totalBytes)}) at ${path}; logs take ${formatBytes(logBytes)}, databases ${formatBytes(databaseBytes)}.`,
    growth === null
      ? "A few more days of records are needed to show the trend."
      : `In ${plural(growth.days, "day")} it changed by ${formatBytes(growth.usedPerDay)} a day, of which logs ${formatBytes(growth.logsPerDay)} and databases ${formatBytes(growth.databasesPerDay)}. ${full}`,
    ...bars("Used by day, in MB", byDay),
  ];
}

function backups({ backups: { isOn, last, failure, isKeySeen, drill }, to }: ReportFacts): readonly Block[] {
  if (!isOn) return ["Backups are switched off (backup.enabled)."];
  return [
    last === null
      ? "No backup exists yet."
      : `The latest is from ${minute(last.at)} (${plural(daysBetween(last.at, to), "day")} ago): ${numbered(last.mails, "mail")}, ${formatBytes(last.bytes)}, in ${last.place}.`,
    ...(failure === null ? [] : [`The backup at ${minute(failure.at)} failed: ${failure.reason}`]),
    ...(isKeySeen || last === null ? [] : ["The key has never been shown."]),
    drilled(drill),
  ];
}

function drilled(drill: ReportFacts["backups"]["drill"]): string {
  if (drill === null) return "No restore drill has been made yet.";
  const { at, tookMs, mails, reason } = drill;
  if (reason !== null) return `The restore drill of ${minute(at)} failed: ${reason}`;
  return `The restore drill of ${minute(at)} restored ${numbered(mails, "mail")} in ${span(tookMs)}.`;
}

function accounts({ accounts: { total, suspended, unused, unusedDays } }: ReportFacts): readonly Block[] {
  const rows = unused.map(({ name, lastSignInAt }) => [
    name,
    lastSignInAt === null ? "no sign-in known" : day(lastSignInAt),
  ]);
  return [
    `${plural(total, "account")}, ${number(suspended)} suspended; ${number(unused.length)} unused for ${number(unusedDays)} days.`,
    ...table(["UNUSED ACCOUNT", "LAST SIGN-IN"], rows.slice(0, NAMED)),
  ];
}
