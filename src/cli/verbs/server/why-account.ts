import { type AccountName, parseAccountName } from "../../../core/net/address.ts";
import { dayAndTime, shown } from "../../../core/shown.ts";
import { plural } from "../../../core/text.ts";
import { formatDuration, instant } from "../../../core/time.ts";
import { whyAccount as reportOf } from "../../../engine/explain/why.ts";
import type { Forwarding } from "../../../engine/mailbox-ports.ts";
import { toPolicy } from "../../../settings/to-policy.ts";
import type { AppPasswordItem } from "../../../wire/control/access-items.ts";
import type { AccountReport } from "../../../wire/control/items.ts";
import type { AccountKnown, AccountRow } from "../../../wire/verbs/accounts.ts";
import type { VacationItem } from "../../../wire/verbs/mailboxes.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM } from "../../call.ts";
import { isClosed, mailKeyText, recoverCommand } from "../../print/mail-keys.ts";
import { columns, oneLine } from "../../print/text.ts";
import { parts, printAccount, type SettingsInForce } from "../../print/timeline.ts";
import type { Reader } from "../../reader.ts";
import { mailboxUse, quotaText, usedText } from "../accounts/account-quota.ts";
import { vacationEnd } from "../accounts/account-vacation.ts";
import { stateOf } from "../accounts/accounts.ts";
import { settingsOf } from "../settings/server-settings.ts";
import { because } from "./held.ts";

const MOST_KNOWN = 8;

/** `why --account ADDRESS`: its state now, then what happened. */
export async function whyAccount(
  call: CommandCall,
  reader: Reader,
  account: string,
  values: SettingsInForce,
): Promise<CommandOutcome> {
  const report = reportOf(reader.queries, account);
  const name = parseAccountName(account);
  const row = name === null ? null : reader.account(name);
  if (name === null || row === null) {
    const text = parts([`${oneLine(account)} is not an account here.`, printAccount(report, values)]);
    return done({ ...report, state: null }, text, nextAfter(report));
  }
  const loaded = settingsOf(call);
  const known = loaded.ok ? reader.accountState(name, toPolicy(loaded.settings), instant(call.now())) : null;
  const use = await mailboxUse(call, name);
  const mailbox = `${use === null ? "use not known" : usedText(use)}; quota ${quotaText(call, row.quotaBytes)}`;
  const keys = reader.accountKeys(name);
  const key = mailKeyText(name, keys, loaded.ok && loaded.settings["mailboxes.encryption"] === "account");
  const apps = reader.appPasswords(name);
  const forwarding = reader.forwarding(name);
  const vacation = reader.vacation(name);
  const reply = vacationLine(vacation, call.now());
  const text = parts([
    printState(name, { row, known, mailbox, key, apps, forwarding, reply }),
    printAccount(report, values),
  ]);
  const ownKeys = { opened: keys.filter(({ isOpen }) => isOpen).length, total: keys.length };
  const next = isClosed(keys) ? recoverCommand(name) : nextAfter(report);
  return done(
    { ...report, state: { ...row, ...known, use, keys: ownKeys, appPasswords: apps, forwarding, vacation } },
    text,
    next,
  );
}

/** `known` null: the settings cannot be read, and the limits depend on them. `key`, `reply` null: not mentioned. */
type Told = Readonly<{
  row: AccountRow;
  known: AccountKnown | null;
  mailbox: string;
  key: string | null;
  apps: readonly AppPasswordItem[];
  forwarding: Forwarding | null;
  reply: string | null;
}>;

function printState(name: AccountName, { row, known, mailbox, key, apps, forwarding, reply }: Told): string {
  const from = row.networks.length === 0 ? "anywhere that logins.networks allows" : row.networks.map(shown).join(", ");
  const lines = [
    ["  may sign in from", from],
    ["  mailbox", mailbox],
    ...(forwarding === null ? [] : [["  sent on to", onward(forwarding)]]),
    ...(reply === null ? [] : [["  vacation reply", reply]]),
    ...(key === null ? [] : [["  key of its mail", key]]),
    ...(apps.length === 0 ? [] : [["  app passwords", apps.map(lastUse).join(", ")]]),
    ...(known === null ? [] : knownLines(known)),
  ];
  return `${name}: ${stateOf(row)}, since ${dayAndTime(row.createdAt)}.\n${columns(lines)}`;
}

function onward({ to, keep }: Forwarding): string {
  return `${to.map(shown).join(", ")}; ${keep ? "a copy stays here" : "no copy stays here"}`;
}

function vacationLine(vacation: VacationItem | null, now: number): string | null {
  if (vacation === null) return null;
  return vacation.until === null ? "yes" : vacationEnd(vacation.until, now);
}

function lastUse({ name, usedAt }: AppPasswordItem): string {
  return `${oneLine(name)} (${usedAt === null ? "never used" : `used ${dayAndTime(usedAt)}`})`;
}

function knownLines({ guarded, held, known }: AccountKnown): readonly (readonly string[])[] {
  const guesses =
    guarded === null
      ? "no"
      : `yes: ${plural(guarded.guesses, "wrong password")} or more within ${formatDuration(guarded.windowMs)}, from new places`;
  const mail = held === null ? "no" : `since ${dayAndTime(held.at)}: ${because(held)}`;
  const rest = known.length > MOST_KNOWN ? ` and ${known.length - MOST_KNOWN} more (--json)` : "";
  const places = known.length === 0 ? "none" : known.slice(0, MOST_KNOWN).map(shown).join(", ") + rest;
  return [
    ["  guarded", guesses],
    ["  mail held", mail],
    ["  known addresses", places],
  ];
}

function nextAfter({ account, addresses }: AccountReport): string {
  const suspect = addresses.find(({ failed }) => failed > 0);
  return suspect === undefined ? `${PROGRAM} logs --account ${account}` : `${PROGRAM} why ${suspect.ip}`;
}
