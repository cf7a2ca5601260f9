import { parseAccountName } from "../../../core/net/address.ts";
import { isoTime } from "../../../core/time.ts";
import { parseVacation, type Vacation } from "../../../core/vacation.ts";
import type { Command, Reply } from "../../../wire/control/control.ts";
import type { VacationItem } from "../../../wire/verbs/mailboxes.ts";
import type { VacationStore } from "../../mailbox-ports.ts";
import type { Clock } from "../../ports.ts";
import { recordFirst } from "../record-first.ts";
import { UNWRITTEN } from "../unrecorded.ts";
import { wrongAddress } from "../wrong-address.ts";
import { type AccountCommandParts, notDone } from "./accounts.ts";

export type VacationCommandParts = Pick<AccountCommandParts, "engine" | "rehearse"> &
  Readonly<{ vacations: VacationStore; clock: Clock }>;

/** Sets or ends the reply that an account sends while its user is away. The record omits its text, which may say where somebody is. */
export async function vacationCommand(
  parts: VacationCommandParts,
  command: Extract<Command, { readonly verb: "vacation_set" }>,
  by: string,
): Promise<Reply<"vacation_set">> {
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  const { subject, text, until } = command;
  const parsed = text === null ? null : parseVacation({ subject, text, until }, parts.clock.now());
  if (parsed !== null && !parsed.ok)
    return {
      ok: false,
      kind: "usage",
      message: parsed.says,
      next: "Give a text, and an end that is still to come or none.",
    };
  const vacation = parsed === null ? null : parsed.vacation;
  const outcome = await recordFirst(
    parts,
    () => parts.vacations.setVacation(name, vacation),
    () => parts.engine.audit({ type: "VACATION_CHANGED", subject: `${name} ${says(vacation)}`, account: name, by }),
  );
  if (outcome === "unwritten") return UNWRITTEN;
  return outcome.ok ? { ok: true, result: { name, vacation: vacationItem(vacation) } } : notDone(outcome.reason);
}

export function vacationItem(vacation: Vacation | null): VacationItem | null {
  if (vacation === null) return null;
  const { subject, text, until } = vacation;
  return { subject, text, until: until === null ? null : isoTime(until) };
}

function says(vacation: Vacation | null): string {
  if (vacation === null) return "no longer";
  return vacation.until === null ? "until it is ended" : `until ${isoTime(vacation.until)}`;
}
