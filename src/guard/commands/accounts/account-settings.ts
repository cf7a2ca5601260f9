import type { CommandError, CommandOf, Reply } from "../../../admin/declare/control.ts";
import { isWebAdmin, mailboxOf } from "../../../admin/declare/rights.ts";
import { type AccountName, parseAccountName } from "../../../core/net/address.ts";
import { type Prefix, parsePrefix, prefixLength } from "../../../core/net/ip.ts";
import { printable } from "../../../core/text.ts";
import { isoTime } from "../../../core/time.ts";
import { parseVacation, type Vacation, vacationItem } from "../../../core/vacation.ts";
import { formatSize } from "../../../settings/kinds/kind.ts";
import type { AccountNetworks, SessionStore } from "../../admin-ports.ts";
import type { AppPasswordStore, ForwardStore } from "../../mailbox-ports.ts";
import type { Clock, Outcome } from "../../ports.ts";
import { recordFirst } from "../record-first.ts";
import { usage, wrongAddress } from "../refusals.ts";
import { NO_ACCOUNT } from "./account-lists.ts";
import type { AccountStateCommandParts } from "./account-state.ts";
import { type AccountCommandParts, endSessions, notDone } from "./accounts.ts";

type NetworkCommandParts = AccountCommandParts &
  Readonly<{ networks: AccountNetworks; sessions: Pick<SessionStore, "end"> }>;
type NetworkCommand = CommandOf<"networks_add" | "networks_remove">;

/**
 * Changes the networks from which an account may sign in. Closes its open sessions, including those at the dashboard, since some may
 * come from other networks.
 */
async function networkCommand(
  parts: NetworkCommandParts,
  command: NetworkCommand,
  by: string,
): Promise<Reply<NetworkCommand["verb"]>> {
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  const networks: Prefix[] = [];
  for (const text of command.networks) {
    const network = parsePrefix(text);
    if (network === null || prefixLength(network) === 0) return wrongNetwork(text);
    networks.push(network);
  }
  const change = () => {
    const outcome =
      command.verb === "networks_add"
        ? parts.networks.addNetworks(name, networks)
        : parts.networks.removeNetworks(name, networks);
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
}

function wrongNetwork(text: string): CommandError {
  const message = `“${printable(text, 60)}” is not a network that restricts anything.`;
  return usage(message, "Write it as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32.");
}

/** Through the web; 0 means no limit. A smaller mailbox could not receive mail. */
const LEAST_BYTES = 10 * 1024 * 1024;

const TOO_SMALL = usage(
  `The dashboard and the API set no quota below ${formatSize(LEAST_BYTES)}.`,
  "Choose a larger one, or use `account quota` on the server.",
);

/** Gives an account a quota. It applies to new mail at once, and to open IMAP sessions once they reconnect. */
async function quotaCommand(
  parts: Pick<AccountCommandParts, "engine" | "accounts" | "rehearse" | "isDry">,
  command: CommandOf<"quota_set">,
  by: string,
): Promise<Reply<"quota_set">> {
  const { quotaBytes } = command;
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  if (isWebAdmin(by) && quotaBytes !== null && quotaBytes !== 0 && quotaBytes < LEAST_BYTES) return TOO_SMALL;
  const quota = quotaBytes === null ? "the default" : quotaBytes === 0 ? "no limit" : formatSize(quotaBytes);
  const outcome = await recordFirst(
    parts,
    () => parts.accounts.setQuota(name, quotaBytes),
    () => parts.engine.audit({ type: "QUOTA_CHANGED", subject: `${name} to ${quota}`, account: name, by }),
    notDone,
  );
  return outcome.ok ? { ok: true, result: { name, quotaBytes } } : outcome;
}

/** Writers throw if the database cannot be written. */
export interface VacationStore {
  /** Replaces the earlier one. Null: no more replies. */
  setVacation(account: AccountName, vacation: Vacation | null): Outcome;
  /** Null if none is stored; one that has ended still is. */
  vacationOf(account: string): Vacation | null;
}

type VacationCommandParts = Pick<AccountCommandParts, "engine" | "rehearse" | "isDry"> &
  Readonly<{ vacations: VacationStore; clock: Clock }>;

/** Sets or ends the reply that an account sends while its user is away. The record omits its text, which may say where somebody is. */
async function vacationCommand(
  parts: VacationCommandParts,
  command: CommandOf<"vacation_set">,
  by: string,
): Promise<Reply<"vacation_set">> {
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  const { subject, text, until } = command;
  const parsed = text === null ? null : parseVacation({ subject, text, until }, parts.clock.now());
  if (parsed !== null && !parsed.ok)
    return usage(parsed.says, "Give a text, and an end that is still to come or none.");
  const vacation = parsed === null ? null : parsed.vacation;
  const outcome = await recordFirst(
    parts,
    () => parts.vacations.setVacation(name, vacation),
    () => parts.engine.audit({ type: "VACATION_CHANGED", subject: `${name} ${says(vacation)}`, account: name, by }),
    notDone,
  );
  return outcome.ok ? { ok: true, result: { name, vacation: vacationItem(vacation) } } : outcome;
}

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
  command: CommandOf<MailboxSettingVerb>,
  by: string,
): Reply<MailboxSettingVerb> {
  const name = parseAccountName(command.name);
  if (name === null || accountRow(name) === null) return NO_ACCOUNT;
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
      return { ok: true, result: { vacation: vacationItem(vacations.vacationOf(name)) } };
  }
}

export type AccountSettingParts = NetworkCommandParts & VacationCommandParts;

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
