import { type Health, type Notice, type OwnerTask, PARTLY_STOPPED } from "../../admin/declare/items.ts";
import { type ChecksReport, OUTGOING_CHECK } from "../../admin/declare/reports.ts";
import { type AlertCode, alertText, isCondition, nextSteps, WEB_CHANGES } from "../../core/alerts/alerts.ts";
import { parseAccountName } from "../../core/net/address.ts";
import { plural } from "../../core/text.ts";
import { isoTime } from "../../core/time.ts";
import type { HeldCount } from "../admin-ports.ts";
import type { Alert } from "../alerts/ports.ts";

/** What may need the owner. `checks` null: the result of the last checks is unknown. */
export type Needs = Readonly<{
  notices: readonly Notice[];
  alerts: readonly Alert[];
  held: readonly HeldCount[];
  isSuspended: (account: string) => boolean;
  checks: ChecksReport | null;
}>;

/** Records without which mail is lost or distrusted, as `check` names them. */
const DNS_CHECKS = ["dns.mx", "dns.spf", "dns.dkim", "dns.dmarc", "dns.address", "dns.reverse"];

/** An attack on many accounts must not displace everything else from the screen. */
const MOST_HELD = 20;
const MOST_OF_ONE_ALERT = 3;

/**
 * Everything that needs the owner, most urgent first. `status`, the API and the page use these sentences: as long as the list
 * is not empty, none of them reports that everything is fine.
 */
export function needsYou({ notices, alerts, held, isSuspended, checks }: Needs): readonly OwnerTask[] {
  const accountsHeld = new Set(held.map(({ account }) => account));
  // A task with the number of held mails replaces the alert about the same account.
  const isNew = ({ code, subject }: Alert): boolean => code !== "account_held" || !accountsHeld.has(subject);
  // A change from a network that the owner uses is not a task: its alert says what to do if it was someone else.
  const open = alerts.filter(
    ({ code }) => isCondition(code) && !WEB_CHANGES.includes(code) && alertText(code).severity !== "info",
  );
  return [
    ...notices.map(taskOf),
    ...held.slice(0, MOST_HELD).map((one) => heldTask(one, isSuspended(one.account))),
    ...(held.length > MOST_HELD ? [moreHeld(held.length - MOST_HELD)] : []),
    ...alertTasks(open.filter(isNew)),
    ...(checks === null ? [] : [...outgoingTask(checks), ...dnsTask(checks)]),
  ];
}

/** What `status`, the API and the page *Now* say first, each in its own words. */
export function headlineOf({ status, components, needsYou }: Omit<Health, "headline">): Health["headline"] {
  if (components.some((one) => one.name === "guard" && one.status === "down")) return "guard_down";
  // With these, mail does not flow, and other failures are consequences.
  for (const stops of ["disk_full", "disk_read_only"] as const)
    if (needsYou.some(({ code }) => code === stops)) return stops;
  if (status === "down") return "down";
  for (const stops of PARTLY_STOPPED) if (needsYou.some(({ code }) => code === stops)) return stops;
  if (components.some((one) => one.status !== "ok")) return "degraded";
  return needsYou.length > 0 ? "tasks" : "well";
}

function moreHeld(accounts: number): OwnerTask {
  const says = `Mail of ${plural(accounts, "further account")} is held.`;
  const action = "`account held` lists the accounts.";
  return { kind: "held_mail", code: "mail_held", since: null, says, action, account: null };
}

export function taskOf({ code, since, says, detail, next }: Notice): OwnerTask {
  return { kind: "notice", code, since, says: sentence(says, detail), action: next, account: null };
}

function heldTask({ account, mails, since }: HeldCount, isSuspended: boolean): OwnerTask {
  const says = `${plural(mails, "mail")} of ${account} ${mails === 1 ? "is" : "are"} held`;
  const task = { kind: "held_mail", since, account } as const;
  const listed = `\`account held ${account}\` lists the mail`;
  if (!isSuspended) {
    const action = `${listed}; ask the account's user.`;
    return { ...task, code: "mail_held", says: `${says}: someone may have its password.`, action };
  }
  const action = `${listed}; then \`account release ${account}\` or \`account drop ${account}\`.`;
  return { ...task, code: "suspended_mail_waits", says: `${says}, and the account is suspended.`, action };
}

function alertTasks(alerts: readonly Alert[]): readonly OwnerTask[] {
  return [...Map.groupBy(alerts, ({ code }) => code)].flatMap(([code, all]) => {
    const further = all.length - MOST_OF_ONE_ALERT;
    return [...all.slice(0, MOST_OF_ONE_ALERT).map(alertTask), ...(further > 0 ? [moreAlerts(code, further)] : [])];
  });
}

function moreAlerts(code: AlertCode, further: number): OwnerTask {
  const says = `${plural(further, "further alert")} like this: ${alertText(code).says}`;
  return { kind: "alert", code, since: null, says, action: "`alerts list` shows them.", account: null };
}

function alertTask({ code, subject, detail, openedAt }: Alert): OwnerTask {
  const text = alertText(code);
  return {
    // An account may be held before the first of its mails is.
    kind: code === "account_held" ? "held_mail" : "alert",
    code,
    since: isoTime(openedAt),
    says: sentence(text.says, detail.startsWith(subject) ? detail : [subject, detail].filter(Boolean).join(": ")),
    action: nextSteps(text, subject),
    account: parseAccountName(subject),
  };
}

/** Where the provider closes outgoing port 25, the check fails from the start, so the notice `check_failed` never appears. */
function outgoingTask({ checks }: ChecksReport): readonly OwnerTask[] {
  if (!checks.some(({ id, state }) => id === OUTGOING_CHECK && state === "wrong")) return [];
  // The record has no time for a single check, and it may be days old.
  const says = "When last checked, mail to other servers could not leave.";
  const action = "`check --only reputation` shows why and what to do, and looks again.";
  return [{ kind: "notice", code: "outgoing_blocked", since: null, says, action, account: null }];
}

function dnsTask({ at, checks }: ChecksReport): readonly OwnerTask[] {
  const wrong = checks.filter(({ id, state }) => state === "wrong" && DNS_CHECKS.includes(id));
  if (wrong.length === 0) return [];
  const names = wrong.map(({ id }) => id).join(", ");
  const action = "`dns records` prints what to publish; `check` looks again.";
  const says = `DNS records are missing or wrong: ${names}.`;
  return [{ kind: "dns", code: "dns_records_missing", since: at, says, action, account: null }];
}

function sentence(says: string, detail: string): string {
  return detail === "" ? says : `${says} ${detail}`;
}
