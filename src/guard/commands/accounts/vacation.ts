import type { CommandError } from "../../../admin/declare/control.ts";
import type { VacationItem } from "../../../admin/mailboxes.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { isoTime, isoTimeOrNull, type Millis, parseTime } from "../../../core/time.ts";
import type { Clock, Outcome } from "../../ports.ts";
import { type RecordParts, recordThenChange } from "../record-first.ts";
import { type RunsOf, usage } from "../refusals.ts";
import { NO_ACCOUNT } from "./account-lists.ts";
import type { AccountStateCommandParts } from "./account-state.ts";

/** A checked reply. `subject` empty: that of the mail that came. `until` null: until it is ended. */
export type Vacation = Readonly<{ subject: string; text: string; until: Millis | null }>;

/** `until` is an ISO time in the future, or a day, to its end in UTC. */
export function parseEnd(until: string, now: Millis): Millis | CommandError {
  const wrong = (message: string) => usage(message, "Give an end that is still to come, or none.");
  const end = parseTime(/^\d{4}-\d\d-\d\d$/.test(until) ? `${until}T23:59:59Z` : until);
  if (end === null) return wrong(`${JSON.stringify(until)} is not a time such as 2026-12-24T18:00:00Z.`);
  return end > now ? end : wrong("The reply would have ended already.");
}

/** Writers throw if the database cannot be written. */
export interface VacationStore {
  /** Replaces the earlier one. Null: no more replies. */
  setVacation(account: AccountName, vacation: Vacation | null): Outcome;
  /** Null if no reply is stored. A reply that has ended stays stored. */
  vacationOf(account: string): VacationItem | null;
}

export type VacationCommandParts = RecordParts &
  Pick<AccountStateCommandParts, "accountRow"> &
  Readonly<{ replies: VacationStore; clock: Clock }>;

export const VACATION_RUNS = {
  /** Sets or ends the reply that an account sends while its user is away. The record omits its text, which may say where someone is. */
  vacation_set: async (parts, command, by) => {
    const { name, subject, text, until } = command;
    const end = text === null || until === null ? null : parseEnd(until, parts.clock.now());
    if (end !== null && typeof end !== "number") return end;
    const vacation = text === null ? null : { subject, text, until: end };
    return recordThenChange(parts, {
      change: () => parts.replies.setVacation(name, vacation),
      audit: { type: "VACATION_CHANGED", subject: `${name} ${says(vacation)}`, account: name, by },
      result: { name, vacation: vacation && { ...vacation, until: isoTimeOrNull(vacation.until) } },
    });
  },
  vacation: ({ accountRow, replies }, { name }) =>
    accountRow(name) === null ? NO_ACCOUNT : { ok: true, result: { vacation: replies.vacationOf(name) } },
} satisfies RunsOf<VacationCommandParts>;

function says(vacation: Vacation | null): string {
  if (vacation === null) return "no longer";
  return vacation.until === null ? "until it is ended" : `until ${isoTime(vacation.until)}`;
}
