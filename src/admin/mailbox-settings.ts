import { dayAndTime } from "../core/time.ts";
import { vacationEnd, type WrittenVacation } from "../core/vacation.ts";
import type { Command } from "./declare/control.ts";
import type { AppPasswordItem } from "./declare/items.ts";
import { type Forwarding, NO_FORWARD, NO_REPLY } from "./mailboxes.ts";

/** What the user of a mailbox sets for it. `forwarding` null: mail stays in it. `vacation` null: no reply is stored; one that has ended still is. */
export type MailboxSettings = Readonly<{
  appPasswords: readonly AppPasswordItem[];
  forwarding: Forwarding | null;
  vacation: WrittenVacation | null;
}>;

/** How the command line shows one of them, in a line, and ends it if a thief may have set it. */
export type MailboxSettingForm = Readonly<{
  label: string;
  /** Null if it is not set. */
  shows: (own: MailboxSettings, nowMs: number) => string | null;
  /** Unless a new password of the account removes it. */
  ends?: Readonly<{
    command: (name: string) => Command;
    plan: (name: string, own: MailboxSettings) => string;
    did: (name: string, own: MailboxSettings) => string;
  }>;
}>;

const onward = ({ forwarding: it }: MailboxSettings): string => (it?.to ?? []).join(", ");

export const MAILBOX_SETTING_FORMS: readonly MailboxSettingForm[] = [
  {
    label: "sent on to",
    shows: (own) =>
      own.forwarding && `${onward(own)}; ${own.forwarding.keep ? "a copy stays here" : "no copy stays here"}`,
    ends: {
      command: (name) => ({ verb: "forward_set", name, ...NO_FORWARD.given }),
      plan: (name, own) => `Stop forwarding mail for ${name} to ${onward(own)}.`,
      did: (name, own) => `Mail for ${name} is no longer forwarded to ${onward(own)}.`,
    },
  },
  {
    label: "vacation reply",
    shows: ({ vacation: it }, nowMs) => it && (it.until === null ? "yes" : vacationEnd(it.until, nowMs)),
    ends: {
      command: (name) => ({ verb: "vacation_set", name, ...NO_REPLY.given }),
      plan: (name) => `End the vacation reply of ${name}.`,
      did: (name, { vacation: it }) =>
        `The vacation reply of ${name} is ended. It was: ${`${it?.subject ?? ""} ${it?.text ?? ""}`.trim()}`,
    },
  },
  {
    label: "app passwords",
    shows: ({ appPasswords: all }) =>
      all.length === 0
        ? null
        : all
            .map((it) => `${it.name} (${it.usedAt === null ? "never used" : `used ${dayAndTime(it.usedAt)}`})`)
            .join(", "),
  },
];
