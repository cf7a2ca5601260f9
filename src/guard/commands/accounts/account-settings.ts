import type { CommandError, OrderOf, Reply } from "../../../admin/declare/control.ts";
import { isWebAdmin, mailboxOf } from "../../../admin/declare/rights.ts";
import { VACATION_LIMITS, type VacationItem } from "../../../admin/mailboxes.ts";
import type { AccountName } from "../../../core/net/address.ts";
import type { Prefix } from "../../../core/net/ip.ts";
import { isoTime, isoTimeOrNull, type Millis, parseTime } from "../../../core/time.ts";
import { formatSize } from "../../../settings/kinds/kind.ts";
import type { AccountNetworks, SessionStore } from "../../admin-ports.ts";
import type { AppPasswordStore, ForwardStore } from "../../mailbox-ports.ts";
import type { Clock, Outcome } from "../../ports.ts";
import { type RecordParts, recordFirst, recordThenChange } from "../record-first.ts";
import { notDone, type RunOf, usage } from "../refusals.ts";
import { NO_ACCOUNT } from "./account-lists.ts";
import type { AccountStateCommandParts } from "./account-state.ts";
import { type AccountCommandParts, endSessions } from "./accounts.ts";

type SignInNetworkParts = AccountCommandParts &
  Readonly<{ networks: AccountNetworks; sessions: Pick<SessionStore, "end"> }>;

/**
 * Changes the networks from which an account may sign in. Closes its open sessions, including those at the dashboard, since some may
 * come from other networks.
 */
const networkCommand: RunOf<"networks_add" | "networks_remove", SignInNetworkParts> = async (
  parts,
  { verb, name, networks },
  by,
) => {
  const change = () => {
    const { networks: stored } = parts;
    const outcome =
      verb === "networks_add" ? stored.addNetworks(name, networks) : stored.removeNetworks(name, networks);
    if (!outcome.ok) return outcome;
    parts.sessions.end({ of: name, except: null });
    return { ok: true as const, networks: parts.networks.networksOf(name) };
  };
  const record = (after: Readonly<{ networks: readonly Prefix[] }>): Promise<boolean> => {
    const subject = `${name} from ${after.networks.join(", ") || "anywhere"}`;
    return parts.engine.audit({ type: "NETWORKS_CHANGED", subject, account: name, by });
  };
  const outcome = await recordFirst(parts, change, record, notDone);
  if (!outcome.ok) return outcome;
  return (await endSessions(parts, name)) ?? { ok: true, result: { name, networks: outcome.networks } };
};

/** Through the web; 0 means no limit. A smaller mailbox could not receive mail. */
const LEAST_BYTES = 10 * 1024 * 1024;

const TOO_SMALL = usage(
  `The dashboard and the API set no quota below ${formatSize(LEAST_BYTES)}.`,
  "Choose a larger one, or use `account quota` on the server.",
);

/** Gives an account a quota. It applies to new mail at once, and to open IMAP sessions once they reconnect. */
const quotaCommand: RunOf<"quota_set", RecordParts & Pick<AccountCommandParts, "accounts">> = async (
  parts,
  { name, quotaBytes },
  by,
) => {
  if (isWebAdmin(by) && quotaBytes !== null && quotaBytes !== 0 && quotaBytes < LEAST_BYTES) return TOO_SMALL;
  const quota = quotaBytes === null ? "the default" : quotaBytes === 0 ? "no limit" : formatSize(quotaBytes);
  return recordThenChange(parts, {
    change: () => parts.accounts.setQuota(name, quotaBytes),
    audit: { type: "QUOTA_CHANGED", subject: `${name} to ${quota}`, account: name, by },
    result: { name, quotaBytes },
  });
};

/** A checked reply. `subject` empty: that of the mail that came. `until` null: until it is ended. */
export type Vacation = Readonly<{ subject: string; text: string; until: Millis | null }>;

/** Control characters, line breaks and tabs included, and halves of a character. */
const CONTROLS = /[\p{Cc}\p{Cs}]/u;

/** The text may have lines and tabs; a subject is one line. `until` is an ISO time in the future, or a day, to its end in UTC. */
export function parseVacation(item: VacationItem, now: Millis): Vacation | CommandError {
  const wrong = (message: string) => usage(message, "Give a text, and an end that is still to come or none.");
  const subject = item.subject.trim();
  const text = item.text.replaceAll("\r\n", "\n").trim();
  if (text === "") return wrong("The reply has no text.");
  if (text.length > VACATION_LIMITS.text) return wrong(`The text is longer than ${VACATION_LIMITS.text} characters.`);
  if (subject.length > VACATION_LIMITS.subject)
    return wrong(`The subject is longer than ${VACATION_LIMITS.subject} characters.`);
  if (CONTROLS.test(subject)) return wrong("The subject must be one line, without control characters.");
  if (CONTROLS.test(text.replace(/[\n\t]/g, ""))) return wrong("The text must have no control characters.");
  if (item.until === null) return { subject, text, until: null };
  const until = parseTime(/^\d{4}-\d\d-\d\d$/.test(item.until) ? `${item.until}T23:59:59Z` : item.until);
  if (until === null) return wrong(`${JSON.stringify(item.until)} is not a time such as 2026-12-24T18:00:00Z.`);
  return until > now ? { subject, text, until } : wrong("The reply would have ended already.");
}

/** Writers throw if the database cannot be written. */
export interface VacationStore {
  /** Replaces the earlier one. Null: no more replies. */
  setVacation(account: AccountName, vacation: Vacation | null): Outcome;
  /** Null if no reply is stored. A reply that has ended stays stored. */
  vacationOf(account: string): VacationItem | null;
}

type VacationCommandParts = RecordParts & Readonly<{ vacations: VacationStore; clock: Clock }>;

/** Sets or ends the reply that an account sends while its user is away. The record omits its text, which may say where somebody is. */
const vacationCommand: RunOf<"vacation_set", VacationCommandParts> = async (parts, command, by) => {
  const { name, subject, text, until } = command;
  const vacation = text === null ? null : parseVacation({ subject, text, until }, parts.clock.now());
  if (vacation !== null && "ok" in vacation) return vacation;
  return recordThenChange(parts, {
    change: () => parts.vacations.setVacation(name, vacation),
    audit: { type: "VACATION_CHANGED", subject: `${name} ${says(vacation)}`, account: name, by },
    result: { name, vacation: vacation && { ...vacation, until: isoTimeOrNull(vacation.until) } },
  });
};

function says(vacation: Vacation | null): string {
  if (vacation === null) return "no longer";
  return vacation.until === null ? "until it is ended" : `until ${isoTime(vacation.until)}`;
}

type MailboxSettingParts = Pick<AccountStateCommandParts, "accountRow"> &
  Readonly<{
    appPasswords: Pick<AppPasswordStore, "appPasswordsOf">;
    forwards: Pick<ForwardStore, "forwardingOf">;
    vacations: Pick<VacationStore, "vacationOf">;
  }>;

type MailboxSettingVerb = "app_passwords" | "forwarding" | "vacation";

/** `by`: who asks. The user of the mailbox does not see who made an app password. */
function mailboxSetting(
  { accountRow, appPasswords, forwards, vacations }: MailboxSettingParts,
  command: OrderOf<MailboxSettingVerb>,
  by: string,
): Reply<MailboxSettingVerb> {
  const { name } = command;
  if (accountRow(name) === null) return NO_ACCOUNT;
  switch (command.verb) {
    case "app_passwords": {
      const isUser = mailboxOf(by) !== null;
      const items = appPasswords.appPasswordsOf(name).map(({ name: id, madeAt, madeBy, usedAt }) => {
        const item = { id, name: id, made: madeAt, lastUsed: usedAt };
        return isUser ? item : { ...item, madeBy };
      });
      return { ok: true, result: { items } };
    }
    case "forwarding":
      return { ok: true, result: forwards.forwardingOf(name) ?? { to: [], keep: true } };
    case "vacation":
      return { ok: true, result: { vacation: vacations.vacationOf(name) } };
  }
}

export type AccountSettingParts = SignInNetworkParts & VacationCommandParts;

/** Entries of these commands in the table of all (`carry-out.ts`). Forwards and app passwords are changed in separate files. */
export const ACCOUNT_SETTING_RUNS = {
  networks_add: networkCommand,
  networks_remove: networkCommand,
  quota_set: quotaCommand,
  vacation_set: vacationCommand,
} as const;

/** Likewise of those that only read. */
export const ACCOUNT_SETTING_READS = {
  app_passwords: mailboxSetting,
  forwarding: mailboxSetting,
  vacation: mailboxSetting,
} as const;
