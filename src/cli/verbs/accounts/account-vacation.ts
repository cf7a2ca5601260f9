import type { AccountName } from "../../../core/net/address.ts";
import { dayAndTime } from "../../../core/shown.ts";
import type { VacationItem } from "../../../wire/verbs/mailboxes.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { oneLine } from "../../print/text.ts";
import { accountFrom } from "./accounts.ts";

/** `account vacation ADDRESS [TEXT...]`: without a text, shows the reply. */
export async function accountVacation(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const text = call.args[1] ?? "";
  const [subject, until, isOff] = [call.option("subject"), call.option("until"), call.flag("off")];
  if (isOff && (text !== "" || subject !== null || until !== null))
    return wrongUsage("--off takes no text, subject or end.", `${PROGRAM} help account vacation`);
  if (text === "" && !isOff)
    return subject !== null || until !== null
      ? wrongUsage("The reply needs a text.", `${PROGRAM} help account vacation`)
      : show(call, name);
  const vacation = isOff
    ? { subject: "", text: null, until: null }
    : { subject: subject ?? "", text, until: until === null ? null : endOf(until) };
  const asked = await call.guard.ask<"vacation_set">({ verb: "vacation_set", name, ...vacation });
  if (!asked.ok) return asked;
  return done(asked.result, vacationText(name, asked.result.vacation, call.now()));
}

async function show(call: CommandCall, name: AccountName): Promise<CommandOutcome> {
  const opened = await call.reader();
  if (!opened.ok) return opened;
  if (opened.reader.account(name) === null)
    return failed(`There is no account ${name}.`, `\`${PROGRAM} account list\` shows them.`);
  const vacation = opened.reader.vacation(name);
  return done({ name, vacation }, vacationText(name, vacation, call.now()));
}

/** A day ends with its last moment, in UTC as all times here. */
function endOf(until: string): string {
  return /^\d{4}-\d\d-\d\d$/.test(until) ? `${until}T23:59:59Z` : until;
}

function vacationText(name: string, vacation: VacationItem | null, now: number): string {
  if (vacation === null) return `${name} sends no vacation reply.`;
  const { subject, text, until } = vacation;
  const end = until === null ? "until you end it (--off)" : vacationEnd(until, now);
  const head = isOver(until, now) ? `The reply of ${name} ${end}:` : `${name} sends this reply, ${end}:`;
  const lines = text.split("\n").map((line) => `  ${oneLine(line)}`.trimEnd());
  return [head, ...(subject === "" ? [] : [`  Subject: ${oneLine(subject)}`, ""]), ...lines].join("\n");
}

/** `until 2026-12-24 23:59:59 UTC`; once that is past, `ended 2026-12-24 23:59:59 UTC`. */
export function vacationEnd(until: string, now: number): string {
  return `${isOver(until, now) ? "ended" : "until"} ${dayAndTime(until)}`;
}

function isOver(until: string | null, now: number): boolean {
  return until !== null && Date.parse(until) <= now;
}
