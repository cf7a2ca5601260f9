import { type CommandError, effectOf, type ParsedCommand } from "../../../admin/declare/control.ts";
import { rightsOf } from "../../../admin/declare/rights.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import { Budget, Budgets } from "../../budget.ts";
import type { Clock } from "../../ports.ts";
import { failed } from "../refusals.ts";

/** Maximum changes by one user within an hour; each user has a separate share. */
export const CHANGES_AN_HOUR = 60;
/** Each is audited, so this bounds what one user adds to the audit. */
const CHANGES_A_DAY = 300;
/**
 * Maximum passwords, app passwords, forwards and replies that all users together set within an hour, because each costs a hash or sends
 * the owner an alert. Ending one does not count, so that other users cannot prevent it; taking one of several addresses out of a forward
 * counts. The owner's commands have separate bounds (`WebBounds`).
 */
export const COSTLY_AN_HOUR = 600;
/** Maximum new passwords of one user that are judged within an hour. Each takes up to two seconds of a processor. */
export const JUDGED_AN_HOUR = 30;

/** Counts what users of mailboxes change through the web, and reports when a limit is reached. */
export class UserBounds {
  readonly #clock: Clock;
  readonly #changes = new Budgets<string>(CHANGES_AN_HOUR, HOUR_MS);
  readonly #ofDay = new Budgets<string>(CHANGES_A_DAY, DAY_MS);
  readonly #judged = new Budgets<AccountName>(JUDGED_AN_HOUR, HOUR_MS);
  readonly #costly = new Budget(COSTLY_AN_HOUR, HOUR_MS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns null if this account's user may give the command now, and counts it if it is a change. */
  refuses(command: ParsedCommand, account: string): CommandError | null {
    const { user, needs } = rightsOf(command.verb);
    if (!effectOf(command.verb).lasts || (user === undefined && needs !== "mailbox")) return null;
    const now = this.#clock.now();
    // The user's own share comes first, so that a refused request takes nothing from other users.
    if (!this.#changes.spend(account, now)) return enough(CHANGES_AN_HOUR, "an hour");
    if (!this.#ofDay.spend(account, now)) return enough(CHANGES_A_DAY, "a day");
    return countsForAll(command) && !this.#costly.spend(now) ? ENOUGH_OF_ALL : null;
  }

  /** Returns null if a new password may be judged now, and counts it, because judging costs more than setting it. */
  refusesToJudge(account: AccountName): CommandError | null {
    const now = this.#clock.now();
    if (!this.#judged.spend(account, now)) return ENOUGH_JUDGED;
    return this.#costly.isLeft(now) ? null : ENOUGH_OF_ALL;
  }
}

/** Whether it counts against the limit that all users share (`COSTLY_AN_HOUR`). */
function countsForAll(command: ParsedCommand): boolean {
  const { costs = false, costsIf } = rightsOf(command.verb);
  if (costsIf === undefined) return costs;
  const value: unknown = Reflect.get(command, costsIf);
  return Array.isArray(value) ? value.length > 0 : value !== null;
}

const ENOUGH_JUDGED = failed(
  `You have tried ${JUDGED_AN_HOUR} new passwords within an hour, which is the maximum.`,
  "Try again later.",
);

function enough(changes: number, within: "an hour" | "a day"): CommandError {
  const message = `You have made ${changes} changes within ${within}, which is the maximum.`;
  return failed(message, "Try again later.");
}

const ENOUGH_OF_ALL = failed(
  `The users of this server have set ${COSTLY_AN_HOUR} passwords, app passwords, forwards and replies within an hour, which is the maximum.`,
  "Try again later, or ask the administrator of this server.",
);
