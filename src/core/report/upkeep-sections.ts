import { plural } from "../text.ts";
import { growthOf } from "./disk-growth.ts";
import { type Block, bars, line, type Section, table } from "./document.ts";
import type { BackupFigures, ReportFacts } from "./facts.ts";
import { bytes, day, daysBetween, minute, number, roughly, share } from "./words.ts";

/** How many packages are named. */
const NAMED = 10;

/** Updates, the certificate, the disk, backups and accounts. */
export function upkeepSections(facts: ReportFacts): readonly Section[] {
  return [updates(facts), hardening(facts), certificate(facts), disk(facts), backups(facts), accounts(facts)];
}

function updates({ updates: waiting, holes, versions, to }: ReportFacts): Section {
  const blocks: Block[] = [line(`GhostInbox ${versions.own}, Node.js ${versions.node}.`)];
  if (!waiting.known) blocks.push(line(`Waiting updates are not known: ${waiting.reason}`));
  else {
    const urgent = waiting.packages.filter(({ isSecurity }) => isSecurity).length;
    const age =
      waiting.listsAt === null ? "" : ` The lists of apt are ${plural(daysBetween(waiting.listsAt, to), "day")} old.`;
    blocks.push(line(`${plural(waiting.packages.length, "update")} waiting, ${number(urgent)} for security.${age}`));
    const rows = waiting.packages
      .toSorted((a, b) => Number(b.isSecurity) - Number(a.isSecurity))
      .slice(0, NAMED)
      .map(({ name, version, isSecurity }) => [name, version, isSecurity ? "security" : ""]);
    if (rows.length > 0) blocks.push(table(["PACKAGE", "NEW VERSION", ""], rows, ""));
  }
  if (!holes.known) blocks.push(line(`Known holes are not known: ${holes.reason}`));
  else {
    blocks.push(
      line(
        `${plural(holes.fixable.length, "package")} with known holes for which a fix is there; ${plural(holes.unfixed, "hole")} without one yet.`,
      ),
    );
    const rows = holes.fixable.slice(0, NAMED).map(({ name, cves }) => [name, cves.slice(0, 3).join(" ")]);
    if (rows.length > 0) blocks.push(table(["PACKAGE", "HOLES"], rows, ""));
  }
  return { title: "Updates", blocks };
}

function hardening({ hardening: one, to }: ReportFacts): Section {
  const title = "Hardening of the machine (Lynis)";
  if (!one.known) return { title, blocks: [line(one.reason)] };
  const { at, index, warnings, suggestions } = one;
  const age = plural(daysBetween(at, to), "day");
  const says = `On ${day(at)}, ${age} ago: index ${index} of 100, ${plural(warnings.length, "warning")}, ${plural(suggestions, "suggestion")}.`;
  const rows = warnings.slice(0, NAMED).map(({ test, says: warning }) => [test, warning]);
  return { title, blocks: [line(says), ...(rows.length === 0 ? [] : [table(["TEST", "WARNING"], rows, "")])] };
}

function certificate({ certificate: one, to }: ReportFacts): Section {
  const title = "Certificate";
  if (!one.known) return { title, blocks: [line(one.reason)] };
  const left = daysBetween(to, one.validTo);
  const until = left < 0 ? `expired on ${day(one.validTo)}` : `${plural(left, "day")} left, until ${day(one.validTo)}`;
  const kind = one.isOwn ? " It is self-signed." : "";
  return { title, blocks: [line(`${one.names.join(", ")}: ${until}.${kind}`)] };
}

function disk(facts: ReportFacts): Section {
  const { disk: one, to } = facts;
  const title = "Disk and logs";
  if (!one.known) return { title, blocks: [line(one.reason)] };
  const { freeBytes, totalBytes, logBytes, databaseBytes, history, path } = one;
  const growth = growthOf(one, to);
  const says =
    growth === null
      ? "It takes more days of records to show how it grows."
      : `In ${plural(growth.days, "day")} it changed by ${bytes(growth.usedPerDay)} a day, of which logs ${bytes(growth.logsPerDay)} and databases ${bytes(growth.databasesPerDay)}. ` +
        (growth.fullAt === null
          ? "It will not be full soon."
          : `It will be full on ${day(growth.fullAt)} at this rate.`);
  return {
    title,
    blocks: [
      line(
        `${bytes(freeBytes)} of ${bytes(totalBytes)} are free (${share(freeBytes, totalBytes)}) at ${path}; logs take ${bytes(logBytes)}, databases ${bytes(databaseBytes)}.`,
      ),
      line(says),
      ...bars(
        "Used by day, in MB",
        history.slice(-14).map(({ day: label, usedBytes }) => ({ label, value: Math.round(usedBytes / 1e6) })),
      ),
    ],
  };
}

function backups({ backups: one, to }: ReportFacts): Section {
  const title = "Backups and restore drills";
  if (!one.isOn) return { title, blocks: [line("Backups are switched off (backup.enabled).")] };
  const { last, failure, isKeySeen } = one;
  const lines = [
    last === null
      ? "No backup exists yet."
      : `The last one is of ${minute(last.at)} (${plural(daysBetween(last.at, to), "day")} ago): ${number(last.mails)} mails, ${bytes(last.bytes)}, in ${last.place}.`,
    ...(failure === null ? [] : [`The one of ${minute(failure.at)} failed: ${failure.reason}`]),
    ...(isKeySeen || last === null ? [] : ["The key has never been shown."]),
    drilled(one),
  ];
  return { title, blocks: lines.map(line) };
}

function drilled({ drill }: BackupFigures): string {
  if (drill === null) return "No restore drill has been made yet.";
  const { at, tookMs, mails, reason } = drill;
  if (reason !== null) return `The restore drill of ${minute(at)} failed: ${reason}`;
  return `The restore drill of ${minute(at)} brought back ${number(mails)} mails in ${roughly(tookMs)}.`;
}

function accounts({ accounts: { total, suspended, unused, unusedDays } }: ReportFacts): Section {
  const rows = unused.map(({ name, lastSignInAt }) => [
    name,
    lastSignInAt === null ? "no sign-in known" : day(lastSignInAt),
  ]);
  return {
    title: "Accounts",
    blocks: [
      line(
        `${plural(total, "account")}, ${number(suspended)} suspended; ${number(unused.length)} unused for ${number(unusedDays)} days.`,
      ),
      ...(rows.length === 0 ? [] : [table(["UNUSED ACCOUNT", "LAST SIGN-IN"], rows.slice(0, NAMED), "")]),
    ],
  };
}
