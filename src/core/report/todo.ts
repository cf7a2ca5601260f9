import { plural, quoted } from "../text.ts";
import { BACKUP_DAYS, DRILL_LATE_DAYS, day, daysBetween, growthOf, number, type ReportFacts } from "./figures.ts";

/** Something that the owner should do, and the command for it. */
export type Todo = Readonly<{ what: string; command: string }>;

/** People would ignore more. */
const MOST = 5;
const DISK_DAYS = 30;
const LISTS_DAYS = 7;
/** A forgotten password doesn't explain this many failed sign-ins to one account. */
const MANY_TRIES = 100;
/** Refusals of one address that deserve attention. */
const MANY_REFUSALS = 500;

/** The most important first. */
const RULES: readonly ((facts: ReportFacts) => Todo | null)[] = [
  ({ notices }) => {
    const first = notices.find(({ isCritical }) => isCritical);
    return first === undefined ? null : statusTask(`${first.says} ${first.detail}`.trimEnd(), notices);
  },
  ({ certificate, to }) => {
    if (!certificate.known) return ours(certificate.reason, "config apply");
    if (to <= certificate.dueAt) return null;
    const left = daysBetween(to, certificate.validTo);
    const what =
      left < 0 ? "The TLS certificate has expired." : `The TLS certificate expires in ${plural(left, "day")}.`;
    if (certificate.isOwn) return ours(`${what} A restart renews it.`, "restart");
    const command = `openssl x509 -noout -subject -dates -in ${quoted(certificate.file)}`;
    return { what: `${what} Renew it; the new one is used within seconds.`, command };
  },
  ({ disk, to }) => {
    if (!disk.known) return null;
    const fullAt = growthOf(disk, to)?.fullAt ?? null;
    if (fullAt === null || daysBetween(to, fullAt) >= DISK_DAYS) return null;
    const command = `du -xDh --max-depth=2 ${quoted(disk.path)} | sort -h | tail`;
    return { what: `The disk will be full on ${day(fullAt)} at this rate: see what uses the space.`, command };
  },
  ({ backups, to }) => {
    if (!backups.isOn) return null;
    const { last, failure } = backups;
    if (failure !== null) return ours(`The last backup failed: ${failure.reason}`, "backup create");
    if (last !== null && daysBetween(last.at, to) < BACKUP_DAYS) return null;
    return ours(last === null ? "No backup exists yet." : "The last backup is old.", "backup create");
  },
  ({ backups: { drill, isOn } }) =>
    isOn && drill !== null && drill.reason !== null
      ? ours(`The last restore drill failed: ${drill.reason}`, "backup drill")
      : null,
  ({ updates }) => {
    const urgent = updates.known ? updates.packages.filter(({ isSecurity }) => isSecurity) : [];
    if (urgent.length === 0) return null;
    return { what: `Install ${plural(urgent.length, "security update")}.`, command: installs(updates) };
  },
  ({ backups: { last, isKeySeen, isOn } }) =>
    isOn && last !== null && !isKeySeen
      ? ours("The key of the backups has never been shown: without it they cannot be read.", "backup key")
      : null,
  ({ notices }) => (notices[0] === undefined ? null : statusTask(notices[0].says, notices)),
  ({ triedNames }) => {
    const most = triedNames.find(({ isAccount, failed }) => isAccount && failed >= MANY_TRIES);
    if (most === undefined) return null;
    const what = `${number(most.failed)} sign-ins to ${most.name} failed: see from where.`;
    return ours(what, `why --account ${quoted(most.name)}`);
  },
  ({ updates, to }) => {
    if (!updates.known || updates.listsAt === null || daysBetween(updates.listsAt, to) < LISTS_DAYS) return null;
    const what = `apt has not asked for updates for ${plural(daysBetween(updates.listsAt, to), "day")}.`;
    return { what, command: "apt-get update" };
  },
  ({ addresses }) => {
    const most = addresses.find(
      ({ isBanned, signIns, mails, connections }) => !isBanned && signIns + mails + connections >= MANY_REFUSALS,
    );
    if (most === undefined) return null;
    return ours(`${most.ip} was refused often, and is not banned now.`, `why ${quoted(most.ip)}`);
  },
  ({ backups: { drill, drillEveryDays, isOn, last }, to }) =>
    isOn && last !== null && (drill === null || daysBetween(drill.at, to) > drillEveryDays + DRILL_LATE_DAYS)
      ? ours("Check that the backups can be restored.", "backup drill")
      : null,
  ({ accounts: { unused, unusedDays } }) => {
    const [first] = unused;
    if (first === undefined) return null;
    const more = unused.length === 1 ? "" : ` (and ${unused.length - 1} more)`;
    const what = `${first.name}${more} has not been used for ${unusedDays} days: suspend unneeded accounts.`;
    return ours(what, `account suspend ${quoted(first.name)}`);
  },
  ({ hardening }) => {
    const [first] = hardening.known ? hardening.warnings : [];
    if (first === undefined) return null;
    return { what: `Lynis warns: ${first.says}`, command: `lynis show details ${quoted(first.test)}` };
  },
  ({ updates }) =>
    updates.known && updates.packages.length > 0
      ? { what: `Install ${plural(updates.packages.length, "update")}.`, command: installs(updates) }
      : null,
  ({ holes, updates }) =>
    holes.isInstalled || (updates.known && updates.isImage)
      ? null
      : {
          what: "Install debsecan to see which packages have known vulnerabilities.",
          command: "apt-get install debsecan",
        },
];

function statusTask(first: string, notices: ReportFacts["notices"]): Todo {
  const more = notices.length === 1 ? "" : ` And ${plural(notices.length - 1, "more task")}.`;
  return ours(`${first}${first.endsWith(".") ? "" : "."}${more}`, "status");
}

/** A task for a command of ours. */
function ours(what: string, command: string): Todo {
  return { what, command: `./ghostinbox ${command}` };
}

/** For a container, whose packages come from its image. */
export const RENEW_IMAGE = "docker compose build --pull --no-cache && docker compose up -d";

function installs(updates: ReportFacts["updates"]): string {
  return updates.known && updates.isImage ? RENEW_IMAGE : "apt-get update && apt-get --with-new-pkgs upgrade";
}

/** At most five tasks, most important first. */
export function todoOf(facts: ReportFacts): readonly Todo[] {
  const found = RULES.map((rule) => rule(facts)).filter((todo) => todo !== null);
  // One command for two reasons is one task.
  const once = found.filter(({ command }, i) => found.findIndex((other) => other.command === command) === i);
  return once.slice(0, MOST);
}
