import type { CommandError } from "../../../admin/declare/control.ts";
import { isWebAdmin } from "../../../admin/declare/rights.ts";
import type { VacationItem } from "../../../admin/mailboxes.ts";
import type { AccountName } from "../../../core/net/address.ts";
import type { Prefix } from "../../../core/net/ip.ts";
import { isoTime, isoTimeOrNull, type Millis, parseTime } from "../../../core/time.ts";
import { formatSize, isSmallerQuota } from "../../../settings/kinds/kind.ts";
import type { AccountNetworks, SessionStore } from "../../admin-ports.ts";
import type { Outcome } from "../../ports.ts";
import { recordFirst, recordThenChange } from "../record-first.ts";
import { failed, usage } from "../refusals.ts";
import type { RunOf, RunsOf } from "../run-of.ts";
import { type AccountListParts, missingAccount } from "./account-lists.ts";
import { type AccountCommandParts, alertsStay, endSessions, getsAlerts } from "./accounts.ts";

/** A checked reply. `subject` empty: use that of the incoming mail. `until` null: until it is ended. */
export type Vacation = Readonly<{ subject: string; text: string; until: Millis | null }>;

/** Implemented by `sqliteVacations` in store/accounts-db/vacations.ts. Writers throw if the database cannot be written. */
export interface VacationStore {
  /** Replaces the earlier one. Null: no more replies. */
  setVacation(account: AccountName, vacation: Vacation | null): Outcome;
  /** Null if no reply is stored. A reply that has ended stays stored. */
  vacationOf(account: string): VacationItem | null;
}

/** What the commands below need, with the stores of the settings that they change. */
type AccountSettingParts = AccountCommandParts &
  Pick<AccountListParts, "accountLists" | "mailboxes"> &
  Readonly<{ networks: AccountNetworks; sessions: Pick<SessionStore, "end">; vacations: VacationStore }>;

/**
 * Changes the networks from which an account may sign in. Closes its open sessions, including those at the dashboard, since some may
 * come from other networks.
 */
const networksCommand: RunOf<"networks_add" | "networks_remove", AccountSettingParts> = async (
  parts,
  { verb, name, networks },
  by,
) => {
  // A user who is kept out gets no alerts.
  if (isWebAdmin(by) && getsAlerts(parts, name)) return alertsStay(name);
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
  const outcome = await recordFirst(parts, { change, record });
  if (!outcome.ok) return outcome;
  return (await endSessions(parts, name, by)) ?? { ok: true, result: { name, networks: outcome.networks } };
};

/** Minimum quota through the web; 0 means no limit. A smaller mailbox could not receive mail. */
const LEAST_BYTES = 10 * 1024 * 1024;

const TOO_SMALL = usage(
  `The dashboard and the API set no quota below ${formatSize(LEAST_BYTES)}.`,
  "Choose a larger one, or use `account quota` on the server.",
);

const ALERTS_NEED_ROOM = failed(
  "This mailbox gets the alerts of the server: its quota can be lowered only on the server.",
  "Use `account quota` there.",
);

/** `until` is an ISO time in the future, or a day, until its end in UTC. */
export function parseEnd(until: string, now: Millis): Millis | CommandError {
  const wrong = (message: string) => usage(message, "Give an end in the future, or none.");
  const end = parseTime(/^\d{4}-\d\d-\d\d$/.test(until) ? `${until}T23:59:59Z` : until);
  if (end === null) return wrong(`${JSON.stringify(until)} is not a time such as 2026-12-24T18:00:00Z.`);
  return end > now ? end : wrong("This end is in the past.");
}

function says(vacation: Vacation | null): string {
  if (vacation === null) return "no longer";
  return vacation.until === null ? "until it is ended" : `until ${isoTime(vacation.until)}`;
}

export const ACCOUNT_SETTING_RUNS = {
  networks_add: networksCommand,
  networks_remove: networksCommand,
  /** Gives an account a quota. It applies to new mail at once, and to open IMAP sessions once they reconnect. */
  quota_set: async (parts, { name, quotaBytes }, by) => {
    if (isWebAdmin(by)) {
      if (quotaBytes !== null && quotaBytes !== 0 && quotaBytes < LEAST_BYTES) return TOO_SMALL;
      const usual = parts.mailboxes().quotaBytes;
      const isLess = isSmallerQuota(quotaBytes ?? usual, parts.accountLists.account(name)?.quotaBytes ?? usual);
      // A mailbox that is full gets no alerts.
      if (isLess && getsAlerts(parts, name)) return ALERTS_NEED_ROOM;
    }
    const quota = quotaBytes === null ? "the default" : quotaBytes === 0 ? "no limit" : formatSize(quotaBytes);
    return recordThenChange(parts, {
      change: () => parts.accounts.setQuota(name, quotaBytes),
      audit: { type: "QUOTA_CHANGED", subject: `${name} to ${quota}`, account: name, by },
      result: { name, quotaBytes },
    });
  },
  /** Sets or ends the reply that an account sends while its user is away. The record omits its text, which may say where someone is. */
  vacation_set: async (parts, command, by) => {
    const { name, subject, text, until } = command;
    const end = text === null || until === null ? null : parseEnd(until, parts.clock.now());
    if (end !== null && typeof end !== "number") return end;
    const vacation = text === null ? null : { subject, text, until: end };
    return recordThenChange(parts, {
      change: () => parts.vacations.setVacation(name, vacation),
      audit: { type: "VACATION_CHANGED", subject: `${name} ${says(vacation)}`, account: name, by },
      result: { name, vacation: vacation && { ...vacation, until: isoTimeOrNull(vacation.until) } },
    });
  },
  vacation: ({ accountLists, vacations }, { name }) =>
    accountLists.account(name) === null
      ? missingAccount(name)
      : { ok: true, result: { vacation: vacations.vacationOf(name) } },
} satisfies RunsOf<AccountSettingParts>;
