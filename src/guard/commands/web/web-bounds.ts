import { WIDEST_OF_WEB } from "../../../admin/bans.ts";
import { type CommandError, effectOf, type ParsedCommand, type Verb } from "../../../admin/declare/control.ts";
import { isWebAdmin } from "../../../admin/declare/rights.ts";
import { asPrefix, type Ip, isV4, type Prefix, prefixLength } from "../../../core/net/ip.ts";
import { plural } from "../../../core/text.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, type Millis } from "../../../core/time.ts";
import { Budget, Budgets } from "../../budget.ts";
import type { Clock } from "../../ports.ts";
import type { AllowEntry } from "../../storage-ports.ts";

/**
 * Limits on what an attacker who controls the web program could do with its commands. They are far above normal use of
 * the dashboard and of scripts. Root has no such limits.
 */
export const WEB_LIMITS = {
  widest: WIDEST_OF_WEB,
  /** Bans, and changes of bans and of the allow list, within an hour. */
  bans: 500,
  /** Tokens created or revoked, sessions ended, and changes of second factors and passkeys, within an hour. */
  access: 50,
  /** Changes of accounts, aliases and mailbox settings within an hour, except those of `lockout`; each account in a file counts. */
  accounts: 500,
  /**
   * Changes that can lock a user out, or give someone else their mail, within an hour: removals, passwords, app passwords, suspensions,
   * networks, quotas, forwards, removed or blocked aliases.
   */
  lockout: 50,
  /** Changes of the settings, and undone ones, within an hour. */
  settings: 20,
  /** Commands on the queue, held mail, greylisting and senders that accounts allow, within an hour. */
  mail: 500,
  /** Mails deleted, or returned to their senders, within an hour. */
  deleted: 1_000,
  /** Mails on hold released within a day: a thief may have written them. */
  released: 500,
  /** Tests of the alert channels within an hour: each sends the owner a message. */
  alertTests: 10,
  /** Dry runs within an hour that read all of Postfix's queue, as root, or a whole file of accounts. */
  dryRuns: 500,
  /** Entries of the web on the allow list. */
  allowEntries: 50,
  /**
   * Addresses banned within an hour for failed sign-ins that the web reported. Strangers can reach this limit:
   * beyond it, failures still count, and the sign-in is refused without a ban.
   */
  bannedSignIns: 100,
  /** Sign-ins to the dashboard, and challenges, that one address may request within a minute. Other addresses have separate limits. */
  signInsEach: 300,
  /** Addresses of administrators that the web may report within half an hour; they are not banned in that time. */
  administrators: 32,
} as const;

const ADMINISTRATOR_MS = 30 * MINUTE_MS;

/** `isAlarming`: so far above normal use that the owner gets an alert. */
type Overreach = Readonly<{ error: CommandError; isAlarming: boolean }>;

/** Whether a budget has room for this many more. For a command that is not a dry run, also counts them. */
type Within = (budget: Budget, times?: number) => boolean;

/** Counts the web's commands and reports when a limit is reached. The limits bound its memory. */
export class WebBounds {
  readonly #allowed: () => readonly AllowEntry[];
  readonly #clock: Clock;
  readonly #budgets = {
    bans: new Budget(WEB_LIMITS.bans, HOUR_MS),
    access: new Budget(WEB_LIMITS.access, HOUR_MS),
    accounts: new Budget(WEB_LIMITS.accounts, HOUR_MS),
    lockout: new Budget(WEB_LIMITS.lockout, HOUR_MS),
    settings: new Budget(WEB_LIMITS.settings, HOUR_MS),
    mail: new Budget(WEB_LIMITS.mail, HOUR_MS),
    alertTests: new Budget(WEB_LIMITS.alertTests, HOUR_MS),
  };
  readonly #deleted = new Budget(WEB_LIMITS.deleted, HOUR_MS);
  readonly #released = new Budget(WEB_LIMITS.released, DAY_MS);
  readonly #dryRuns = new Budget(WEB_LIMITS.dryRuns, HOUR_MS);
  readonly #banned = new Budget(WEB_LIMITS.bannedSignIns, HOUR_MS);
  readonly #signIns = new Budgets(WEB_LIMITS.signInsEach, MINUTE_MS);
  readonly #challenged = new Budgets(WEB_LIMITS.signInsEach, MINUTE_MS);
  /** When each address was last noted as an administrator's. */
  readonly #administrators = new Map<Ip, Millis>();

  constructor(allowed: () => readonly AllowEntry[], clock: Clock) {
    this.#allowed = allowed;
    this.#clock = clock;
  }

  /** Returns null if the web may run the command now, and counts it. */
  refuses(command: ParsedCommand): Overreach | null {
    return this.#exceeded(command, (budget, times) => budget.spend(this.#clock.now(), times));
  }

  /** The same for a dry run, which counts once, and only if it is expensive. */
  wouldRefuse(command: ParsedCommand): Overreach | null {
    const now = this.#clock.now();
    const overreach = this.#exceeded(command, (budget, times) => budget.isLeft(now, times));
    // These read the whole queue, or a file of accounts that may be long.
    const isCostly = isDryRunOnQueue(command.verb) || command.verb === "accounts_import";
    return overreach ?? (isCostly ? over(this.#dryRuns.spend(now)) : null);
  }

  #exceeded(command: ParsedCommand, isWithin: Within): Overreach | null {
    if ((command.verb === "queue_delete" || command.verb === "queue_return") && command.isAll) return ALL_AT_ONCE;
    if (command.verb === "ban" || command.verb === "allow_add") {
      const wide = tooWide(command.target);
      if (wide !== null) return wide;
    }
    const { bound } = effectOf(command.verb);
    switch (bound) {
      case undefined:
      case "itself":
        return null;
      case "allowed":
        return (
          (command.verb === "allow_add" ? this.#tooManyAllowed(command.target) : null) ??
          over(isWithin(this.#budgets.bans))
        );
      case "imported":
        return over(isWithin(this.#budgets.accounts, command.verb === "accounts_import" ? command.entries.length : 1));
      case "deleted":
        return this.#deleted.isLeft(this.#clock.now()) ? over(isWithin(this.#budgets.mail)) : ENOUGH_DELETED;
      case "released":
        return this.#released.isLeft(this.#clock.now()) ? over(isWithin(this.#budgets.mail)) : ENOUGH_RELEASED;
      case "alertTests":
        return isWithin(this.#budgets.alertTests) ? null : ENOUGH_TESTS;
      default:
        return over(isWithin(this.#budgets[bound]));
    }
  }

  /** How many of these mails may be deleted now. Counts them as deleted. */
  deletes(mails: number): number {
    return this.#within(this.#deleted, mails);
  }

  /** How many of these mails on hold may be released now. Counts them as released. */
  releases(mails: number): number {
    return this.#within(this.#released, mails);
  }

  /** How many mails may be deleted, and how many on hold released, now. */
  left(): Readonly<{ deletes: number; releases: number }> {
    const now = this.#clock.now();
    return { deletes: this.#deleted.left(now), releases: this.#released.left(now) };
  }

  #within(budget: Budget, mails: number): number {
    const now = this.#clock.now();
    const allowed = Math.min(mails, budget.left(now));
    budget.spend(now, allowed);
    return allowed;
  }

  /** Whether another sign-in from this address is checked at all. Other addresses have their own share. */
  mayAsk(from: Prefix): boolean {
    return this.#signIns.spend(from, this.#clock.now());
  }

  /** The same for passkey challenges, which leave no trace and use up no sign-in. */
  mayChallenge(from: Prefix): boolean {
    return this.#challenged.spend(from, this.#clock.now());
  }

  /** For the event of a sign-in: the reason why it must not cause a ban; false while it may. */
  withoutBan(): false | "bans_used_up" {
    return !this.#banned.isLeft(this.#clock.now()) && "bans_used_up";
  }

  /** Call it when a failed sign-in that the web reported caused a ban. */
  banned(): void {
    this.#banned.spend(this.#clock.now());
  }

  #tooManyAllowed(target: Ip | Prefix): Overreach | null {
    const own = this.#allowed().filter(({ by }) => isWebAdmin(by));
    if (own.length < WEB_LIMITS.allowEntries || own.some(({ prefix }) => prefix === asPrefix(target))) return null;
    const message = `The dashboard and the API have put ${plural(own.length, "entry")} on the allow list, which is the maximum.`;
    return refused("failed", message, "Remove one, or use `allow add` on the server.");
  }

  /** Whether an address may count as an administrator's, who uses a session or a token there. */
  mayNoteAdministrator(ip: Ip): boolean {
    const now = this.#clock.now();
    for (const [noted, at] of this.#administrators)
      if (Math.abs(now - at) >= ADMINISTRATOR_MS) this.#administrators.delete(noted);
    if (!this.#administrators.has(ip) && this.#administrators.size >= WEB_LIMITS.administrators) return false;
    this.#administrators.set(ip, now);
    return true;
  }
}

/** An owner who empties a long queue reaches this limit too, so it is not a sign of a break-in. */
const ENOUGH_DELETED = refused(
  "failed",
  `The dashboard and the API have deleted or returned ${plural(WEB_LIMITS.deleted, "mail")} within an hour, which is the maximum.`,
  "Do the rest in an hour, or use the command line on the server.",
);

/** Owners reach these limits too, so they are not a sign of a break-in. */
const ENOUGH_RELEASED = refused(
  "failed",
  `The dashboard and the API have released ${plural(WEB_LIMITS.released, "mail")} within a day, which is the maximum.`,
  "Use `account release` or `queue release` on the server.",
);

const ENOUGH_TESTS = refused(
  "failed",
  `The channels were tested ${plural(WEB_LIMITS.alertTests, "time")} within an hour.`,
  "Try again later, or use `alerts test` on the server.",
);

function tooWide(target: Ip | Prefix): Overreach | null {
  const network = asPrefix(target);
  const { v4, v6 } = WEB_LIMITS.widest;
  if (prefixLength(network) >= (isV4(network) ? v4 : v6)) return null;
  const message = `${network} is too wide for the dashboard and the API: there the widest network is /${v4}, or /${v6} for IPv6.`;
  return refused("usage", message, "Use the command line on the server.");
}

/** An attacker who takes over the web must not be able to empty the queue with one command. */
const ALL_AT_ONCE = refused(
  "usage",
  "The dashboard and the API do not delete or return all mail at once.",
  "Name the mails, or use the command line on the server.",
);

function over(isLeft: boolean): Overreach | null {
  if (isLeft) return null;
  const message = "The dashboard and the API have reached their limit for such commands.";
  return { ...refused("failed", message, "Use the command line on the server."), isAlarming: true };
}

function refused(kind: CommandError["kind"], message: string, next: string): Overreach {
  return { error: { ok: false, kind, message, next }, isAlarming: false };
}

/** Whether a command reads Postfix's queue, which may be long, and waits for earlier commands. */
export function isOnQueue(verb: Verb): boolean {
  return verb.startsWith("queue_") || verb.startsWith("held_");
}

/** Whether the dry run of a command does so. A suspension reads the queue too, but must not wait, while its dry run may. */
export function isDryRunOnQueue(verb: Verb): boolean {
  return isOnQueue(verb) || verb === "account_suspend";
}
