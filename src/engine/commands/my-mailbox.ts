import { type AccountName, parseAccountName } from "../../core/net/address.ts";
import { DAY_MS, HOUR_MS, isoTime, MINUTE_MS } from "../../core/time.ts";
import type { Command, CommandError, Reply } from "../../wire/control/control.ts";
import type { MyClient } from "../../wire/control/my-items.ts";
import type { DetailedAccount } from "../../wire/control/results.ts";
import type { Keeper } from "../admin-ports.ts";
import { Budget, Shares } from "../budget.ts";
import { accountDetails } from "./account-lists.ts";
import { type AppPasswordParts, appPasswordCommand } from "./app-passwords.ts";
import { type ForwardCommandParts, forwardCommand } from "./forwarding.ts";
import { type MyChangeParts, myGreylisting, myPassword, mySender, mySessionsEnd, whyNotSet } from "./my-changes.ts";
import { told, type VacationCommandParts, vacationCommand } from "./vacation.ts";
import { UNAUTHORIZED, type WebCaller } from "./web.ts";

export type MyMailboxParts = MyChangeParts &
  AppPasswordParts &
  ForwardCommandParts &
  VacationCommandParts &
  Readonly<{
    /** Of this server: its name, and the ports of mailboxes and of mail from users. */
    mailPorts: () => Omit<MyClient, "account">;
  }>;
export type MyCommand = Extract<Command, { readonly verb: `my_${string}` }>;
type By = Readonly<{ caller: WebCaller; by: string }>;

/** How often a minute Dovecot is asked how full a mailbox is: a program is started for it each time. */
const LOOKS_A_MINUTE = 30;
/** What one user changes within an hour: others have their own share. */
export const CHANGES_AN_HOUR = 60;
/** Each is audited, so this bounds what one user adds to the audit. */
const CHANGES_A_DAY = 300;
/**
 * Passwords, app passwords, forwards and vacation replies that all users together set within an hour: each costs a hash, an event,
 * or a message to the owner. What only takes something away is not among them, and the owner's commands have bounds of their own.
 */
export const COSTLY_AN_HOUR = 600;
/** New passwords of one user that are judged: each takes up to two seconds of a processor. */
export const JUDGED_AN_HOUR = 30;
/** Addresses that lead to one account. */
const MOST_ADDRESSES = 1_000;

/**
 * What the user of a mailbox sees and changes. The account is always the caller's own, which the session tells; no command names
 * one. Nothing of other accounts is in an answer, not even their names.
 */
export class MyMailboxCommands {
  readonly #parts: MyMailboxParts;
  readonly #looks = new Shares<AccountName>(LOOKS_A_MINUTE, MINUTE_MS);
  readonly #changes = new Shares<AccountName>(CHANGES_AN_HOUR, HOUR_MS);
  readonly #ofDay = new Shares<AccountName>(CHANGES_A_DAY, DAY_MS);
  readonly #judged = new Shares<AccountName>(JUDGED_AN_HOUR, HOUR_MS);
  readonly #costly = new Budget(COSTLY_AN_HOUR, HOUR_MS);

  constructor(parts: MyMailboxParts) {
    this.#parts = parts;
  }

  async run(command: MyCommand, { caller, by }: By): Promise<Reply> {
    const { book, senders, sessions, appPasswords, forwards, vacations, mailPorts, clock } = this.#parts;
    const account = parseAccountName(caller.item.account ?? "");
    if (account === null) return UNAUTHORIZED;
    switch (command.verb) {
      case "my_mailbox":
        return this.#mailbox(account);
      case "my_addresses":
        return { ok: true, result: { account, addresses: book.addressesOf(account, MOST_ADDRESSES) } };
      case "my_client":
        return { ok: true, result: { account, ...mailPorts() } };
      case "my_sessions":
        return { ok: true, result: { sessions: sessions.list(account, clock.now()) } };
      case "my_app_passwords":
        return { ok: true, result: { appPasswords: appPasswords.appPasswordsOf(account) } };
      case "my_forwarding":
        return { ok: true, result: { forwarding: forwards.forwardingOf(account) } };
      case "my_vacation":
        return { ok: true, result: { vacation: told(vacations.vacationOf(account)) } };
      case "my_senders": {
        const own = senders.allowedSenders().filter((one) => one.account === account);
        return { ok: true, result: { allowed: own.map(({ sender, at }) => ({ sender, at })) } };
      }
      default:
        // The own share first: what one user is refused takes nothing from others.
        if (!this.#changes.spend(account, clock.now())) return enough(CHANGES_AN_HOUR, "an hour");
        if (!this.#ofDay.spend(account, clock.now())) return enough(CHANGES_A_DAY, "a day");
        if (isCostly(command) && !this.#costly.spend(clock.now())) return ENOUGH_OF_ALL;
        return this.#change(command, { account, caller, by });
    }
  }

  /** Whether a new password may be set now: asked before the web judges it, which costs more than to set it. */
  mayChangePassword(password: string, caller: WebCaller): Reply<"my_password"> {
    const account = parseAccountName(caller.item.account ?? "");
    if (account === null) return UNAUTHORIZED;
    const now = this.#parts.clock.now();
    if (!this.#judged.spend(account, now)) return ENOUGH_JUDGED;
    if (!this.#costly.isLeft(now)) return ENOUGH_OF_ALL;
    return whyNotSet(this.#parts, password, account) ?? { ok: true, result: { done: true } };
  }

  #change(command: MyChange, of: By & Readonly<{ account: AccountName }>): Promise<Reply> {
    const name = of.account;
    switch (command.verb) {
      case "my_password":
        return myPassword(this.#parts, command.password, of);
      case "my_sessions_end":
        return mySessionsEnd(this.#parts, of);
      case "my_sender_add":
      case "my_sender_remove":
        return mySender(this.#parts, command, of);
      case "my_greylist_pause":
      case "my_greylist_resume":
        return myGreylisting(this.#parts, command, of);
      case "my_app_password_add":
        return appPasswordCommand(this.#parts, { verb: "app_password_add", name, app: command.app }, of.by);
      case "my_app_password_remove":
        return appPasswordCommand(this.#parts, { verb: "app_password_remove", name, app: command.app }, of.by);
      case "my_forwarding_set": {
        const { to, keep } = command;
        return forwardCommand(this.#parts, { verb: "forward_set", name, to, keep }, of.by);
      }
      case "my_vacation_set": {
        const { subject, text, until } = command;
        return vacationCommand(this.#parts, { verb: "vacation_set", name, subject, text, until }, of.by);
      }
    }
  }

  async #mailbox(account: AccountName): Promise<Reply<"my_mailbox">> {
    const { keeper, pauses, clock } = this.#parts;
    const now = clock.now();
    const asked = this.#looks.spend(account, now) ? keeper : UNASKED;
    const told = await accountDetails({ ...this.#parts, keeper: asked }, { verb: "account_details", name: account });
    if (!told.ok) return told;
    if (told.result.account === null) return UNAUTHORIZED;
    const pause = pauses.pauses(now).find(({ target }) => target === account);
    return { ok: true, result: mailboxOf(told.result.account, pause === undefined ? null : isoTime(pause.until)) };
  }
}

type MyChange = Exclude<
  MyCommand,
  {
    readonly verb:
      | "my_mailbox"
      | "my_addresses"
      | "my_client"
      | "my_sessions"
      | "my_senders"
      | "my_app_passwords"
      | "my_forwarding"
      | "my_vacation";
  }
>;

const ENOUGH_JUDGED: CommandError = {
  ok: false,
  kind: "failed",
  message: `You have tried ${JUDGED_AN_HOUR} new passwords within an hour, which is as often as you may.`,
  next: "Try again later.",
};

function enough(changes: number, within: "an hour" | "a day"): CommandError {
  const message = `You have changed something ${changes} times within ${within}, which is as often as you may.`;
  return { ok: false, kind: "failed", message, next: "Try again later." };
}

const ENOUGH_OF_ALL: CommandError = {
  ok: false,
  kind: "failed",
  message: `The users of this server have set ${COSTLY_AN_HOUR} passwords, app passwords, forwards and replies within an hour, which is as many as they may.`,
  next: "Try again later, or ask the administrator of this server.",
};

function isCostly(command: MyChange): boolean {
  switch (command.verb) {
    case "my_password":
    case "my_app_password_add":
      return true;
    case "my_forwarding_set":
      return command.to.length > 0;
    case "my_vacation_set":
      return command.text !== null;
    default:
      return false;
  }
}

const UNASKED: Keeper = { ask: () => Promise.resolve({ ok: false, reason: "it was asked often enough" }) };

function mailboxOf(details: DetailedAccount, greylistPausedUntil: string | null) {
  const { name: account, quotaBytes, usualQuotaBytes, use, aliases, networks, guarded, passwordsOnServer } = details;
  return {
    account,
    quotaBytes: quotaBytes ?? usualQuotaBytes,
    usedBytes: use?.usedBytes ?? null,
    mails: use?.mails ?? null,
    // Their other targets may be accounts of others.
    aliases: aliases.map(({ address }) => address),
    networks,
    guarded: guarded !== null,
    greylistPausedUntil,
    passwordOnServer: passwordsOnServer,
  };
}
