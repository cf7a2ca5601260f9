import { existsSync } from "node:fs";
import type { RetentionReport } from "../../../../admin/declare/reports.ts";
import { messageOf } from "../../../../core/error.ts";
import type { AccountName } from "../../../../core/net/address.ts";
import { formatBytes } from "../../../../core/report/figures.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime, formatDuration, instant, isoTime, WEEK_MS } from "../../../../core/time.ts";
import { nextNight } from "../../../../jobs/job.ts";
import {
  legalHoldOf,
  liftLegalHold,
  type PlannedFolder,
  planRetention,
  readLegalHolds,
  setLegalHold,
} from "../../../../jobs/retention/retention.ts";
import { folderTimes, removeOldMail, retentionReport } from "../../../../jobs/retention/retention-job.ts";
import { type Amount, Mailboxes } from "../../../../mail/dovecot/mailboxes.ts";
import { homeOf } from "../../../../mail/dovecot/sieve-redirects.ts";
import type { Settings } from "../../../../settings/schema.ts";
import { type Call, done, failed, PROGRAM, whyNotSure, wrongUsage } from "../../call.ts";
import { sinceText } from "../../print/account-facts.ts";
import { columns, oneLine, when } from "../../print/text.ts";
import { settingsOf, withSettingsWhileRunning } from "../../server-settings.ts";
import { ofAccount } from "../accounts/accounts.ts";

export const retentionShow = withSettingsWhileRunning(async (call, { settings }) => {
  const now = call.now();
  try {
    const report = retentionReport(call.layout, settings, now);
    const at = report.nextRunAt === null ? nextNight(settings["retention.hour"], now) : Date.parse(report.nextRunAt);
    const holds = readLegalHolds(call.layout.legalHolds);
    const planned = await plan(call, settings, { at, until: at + WEEK_MS });
    const lines = [
      planned.length === 0 ? "No folder with a rule holds mail." : table(planned, at),
      "",
      ...runLines(report),
      ...holds.map((hold) => `${hold.account} has been under legal hold ${sinceText(hold)}.`),
      `Events are kept for ${formatDuration(settings["events.max_age"])}, mail logs as ${settings["logs.keep"]} or more rotated files of at most ${formatDuration(settings["logs.max_age"])} and ${formatBytes(settings["logs.max_size"])} each, each other log as up to six files of 1 MB, whatever their age, backups for ${formatDuration(settings["backup.keep"])}.`,
    ];
    const json = { ...report, folders: planned, legalHolds: holds };
    return done(json, lines.join("\n"), `${PROGRAM} config show  # retention.mail`);
  } catch (error) {
    return failed(`What would be removed is unknown: ${messageOf(error)}.`, `\`${PROGRAM} status\` shows more.`);
  }
});

function runLines({ nextRunAt, lastRun, failure, paused }: RetentionReport): readonly string[] {
  const last =
    lastRun === null ? "No run so far." : `The last, at ${dayAndTime(lastRun.at)}, removed ${amount(lastRun)}.`;
  return [
    nextRunAt === null
      ? `No run is planned: ${paused}. ${last}`
      : `The next run is at ${dayAndTime(nextRunAt)}. ${last}`,
    ...(failure === null ? [] : [`The run at ${dayAndTime(failure.at)} failed: ${failure.reason}.`]),
  ];
}

export const retentionRun = withSettingsWhileRunning(async (call, { settings }) => {
  const now = call.now();
  if (!call.flag("yes")) {
    const due = await dueNow(call, settings, now).catch((error: unknown) => messageOf(error));
    if (typeof due === "string") return failed(`What would be removed is unknown: ${due}.`, "");
    const question = `The clock says ${when(now)}. Permanently remove ${amount(due)}?`;
    const unsure = due.mails > 0 ? await whyNotSure(call, question, "no mail was removed") : null;
    if (unsure !== null) return unsure;
  }
  const mail = new Mailboxes(call.layout.dovecotConf);
  const inForce = () => {
    const read = settingsOf(call);
    return read.ok ? read.settings : null;
  };
  const removed = await removeOldMail(call.layout, { settings, inForce, now, mail });
  const { mails, bytes, accounts, failure } = removed;
  if (failure !== null)
    return failed(`Removed ${amount(removed)}, then it failed: ${failure}.`, `\`${PROGRAM} status\` shows more.`);
  const text = `Removed ${amount(removed)} from the mailboxes of ${plural(accounts, "account")}.`;
  return done({ mails, bytes, accounts }, text, `${PROGRAM} retention show`);
});

/** What a run would remove now. Throws. */
async function dueNow(call: Call, settings: Settings, now: number): Promise<Amount> {
  const due = (await plan(call, settings, { at: now, until: now })).flatMap((one) => (one.isHeld ? [] : [one.due]));
  const none = { mails: 0, bytes: 0 };
  return due.reduce((all, { mails, bytes }) => ({ mails: all.mails + mails, bytes: all.bytes + bytes }), none);
}

function plan({ layout, now }: Call, settings: Settings, times: Readonly<{ at: number; until: number }>) {
  const holds = () => readLegalHolds(layout.legalHolds);
  const rules = { rules: settings["retention.mail"], holds, times: folderTimes(layout, now()) };
  return planRetention(new Mailboxes(layout.dovecotConf), rules, times);
}

function table(planned: readonly PlannedFolder[], at: number): string {
  const rows = planned.map(({ account, folder, keepMs, from, due, later, isHeld, ...all }) => [
    account,
    oneLine(folder),
    formatDuration(keepMs),
    amount(all),
    isHeld ? "nothing: legal hold" : from > at ? `nothing before ${isoTime(instant(from)).slice(0, 10)}` : amount(due),
    isHeld ? "nothing" : amount(later),
  ]);
  return columns([["ACCOUNT", "FOLDER", "KEPT", "MAIL", "REMOVED NEXT", "REMOVED WITHIN A WEEK"], ...rows]);
}

function amount(some: Amount): string {
  return some.mails === 0 ? "nothing" : `${plural(some.mails, "mail")}, ${formatBytes(some.bytes)}`;
}

export const accountLegalHold = ofAccount(async (call, name) => {
  const [, word, ...reason] = call.args;
  const running = await call.guard.ask({ verb: "ping" });
  if (!running.ok) return running;
  const path = call.layout.legalHolds;
  const held = legalHoldOf(path, name);
  if (held === null && !(await hasMail(call, name)))
    return failed(
      `There is no account ${name}, and no mail of one.`,
      `\`${PROGRAM} account list\` shows the accounts.`,
    );
  if (word === undefined)
    return done(
      { name, legalHold: held },
      held === null ? `${name} is not under legal hold.` : `${name} has been under legal hold ${sinceText(held)}.`,
    );
  if (word !== "on" && word !== "off") return wrongUsage(`"${oneLine(word)}" is neither on nor off.`, "");
  const isOn = word === "on";
  if (!isOn && held === null) return done({ name, isOn }, `${name} is not under legal hold.`);
  // Protects the mail first, whether or not that can be recorded.
  if (isOn) setLegalHold(path, { account: name, since: isoTime(call.now()), reason: reason.join(" ") });
  const type = isOn ? "LEGAL_HOLD_SET" : "LEGAL_HOLD_LIFTED";
  const asked = await call.guard.ask({ verb: "record", type, subject: name });
  if (!asked.ok)
    return failed(
      `${isOn ? `${name} is under legal hold, but that is not in the audit` : `${name} stays under legal hold`}: ${asked.message}`,
      asked.next,
    );
  if (!isOn) liftLegalHold(path, name);
  const text = isOn
    ? `${name} is under legal hold: no mail of it is removed by retention. Its user can still delete mail; backups keep what was there.`
    : `${name} is no longer under legal hold.`;
  return done({ name, isOn }, text, `${PROGRAM} retention show`);
});

/** Whether a name has mail to hold: a misspelled one does not, a removed account may. Without the list of accounts, any name passes. */
async function hasMail(call: Call, name: AccountName): Promise<boolean> {
  if (existsSync(homeOf(call.layout.mail, name))) return true;
  const opened = await call.reader();
  return !opened.ok || opened.reader.account(name) !== null;
}
