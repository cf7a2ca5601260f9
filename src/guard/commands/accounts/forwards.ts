import type { CommandError } from "../../../admin/declare/control.ts";
import { isMailboxUser, isRootUser } from "../../../admin/declare/rights.ts";
import type { Forwarding } from "../../../admin/mailboxes.ts";
import { type AccountName, type Address, domainOf } from "../../../core/net/address.ts";
import { DAY_MS, later, type Millis } from "../../../core/time.ts";
import type { ForwardTargets } from "../../mailbox-ports.ts";
import type { Outcome } from "../../ports.ts";
import { recordThenChange } from "../record-first.ts";
import { failed } from "../refusals.ts";
import type { RunsOf } from "../run-of.ts";
import { type OutsideTargetParts, tooManyForwards } from "../web/web-targets.ts";
import { missingAccount } from "./account-lists.ts";
import type { AccountStateCommandParts } from "./account-state.ts";
import { type AccountCommandParts, alertsStay, getsAlerts } from "./accounts.ts";
import { checkOfTargets, WHO_IS_THERE, wrongTarget } from "./aliases.ts";

/** New outside targets, and when they stop being new. */
export type NewTargets = Readonly<{ targets: readonly Address[]; until: Millis }>;

/** Writers throw if the database cannot be written. */
export interface ForwardStore extends ForwardTargets {
  /**
   * Replaces the earlier forward. Without targets, mail stays in the account's mailbox. `newTargets`: mail forwarded to these targets
   * counts with what the account sends (enforce/counted-forwards.ts); null: no target counts, not even earlier ones.
   */
  setForward(account: AccountName, to: readonly Address[], keep: boolean, newTargets: NewTargets | null): Outcome;
  /** Null if the account's mail stays in its mailbox. */
  forwardOf(account: string): Forwarding | null;
}

type ForwardCommandParts = Pick<
  AccountCommandParts,
  "engine" | "accounts" | "reach" | "alertsTo" | "rehearse" | "isDry" | "clock"
> &
  Pick<OutsideTargetParts, "accountLists"> &
  Pick<AccountStateCommandParts, "accountLists"> &
  Readonly<{ forwards: ForwardStore }>;

/** Root is exempt. Others are limited, because mail that leaves through a forward more than a day old may go to any stranger. */
const NEW_TARGETS_A_DAY = 5;

export const FORWARD_RUNS = {
  /** Forwards the mail of an account, with or without a copy for itself; without targets, stops forwarding. */
  forward_set: async (parts, { name, to, keep }, by) => {
    const before = parts.forwards.targetsOf(name);
    const added = to.filter((target) => !before.includes(target));
    const outside = added.filter((target) => !parts.engine.policy.domains.includes(domainOf(target)));
    if (!isRootUser(by)) {
      // An attacker with the mailbox's password, or who has taken over the web, must neither hide alerts from the owner nor read them.
      if (to.length > 0 && (!keep || outside.length > 0) && getsAlerts(parts, name)) return alertsStay(name);
      const beyond =
        tooManyForwards(parts, { account: name, to, by }) ??
        (parts.isDry === true ? null : tooManyNew(parts, name, added));
      if (beyond !== null) return beyond;
    }
    const wrong = (): CommandError | null => {
      for (const target of to) {
        const message = target === name ? ownAddress(name, by) : wrongTarget(parts, name, target);
        if (message !== null) return refusedTarget(message, target, by);
      }
      return null;
    };
    const refused = wrong();
    if (refused !== null) return refused;
    const newOutside = isRootUser(by) ? null : { targets: outside, until: later(parts.clock.now(), DAY_MS) };
    const where = to.length === 0 ? "no longer" : `to ${to.join(", ")}${keep ? "" : ", without a copy here"}`;
    return recordThenChange(parts, {
      change: () => parts.forwards.setForward(name, to, keep, newOutside),
      check: to.length === 0 ? undefined : checkOfTargets(parts, { address: name, wrong, by }),
      audit: { type: "FORWARDING_CHANGED", subject: `${name} ${where}`, account: name, by },
      result: { name, to, keep },
      refused: (reason) => refusedTarget(reason, to.join(", "), by),
    });
  },
  forwarding: ({ accountLists, forwards }, { name }) =>
    accountLists.account(name) === null
      ? missingAccount(name)
      : { ok: true, result: forwards.forwardOf(name) ?? { to: [], keep: true } },
} satisfies RunsOf<ForwardCommandParts>;

/**
 * Not called in a dry run, because it counts. Refused attempts count too, to stop a caller who sends mail to strangers this way, or
 * probes which accounts exist.
 */
function tooManyNew({ forwards, clock }: ForwardCommandParts, name: AccountName, added: readonly Address[]) {
  if (added.length === 0) return null;
  const span = { since: later(clock.now(), -DAY_MS), until: clock.now() };
  if (forwards.spendTargets(name, added.length, NEW_TARGETS_A_DAY, span)) return null;
  const message = `The mail of ${name} is forwarded to at most ${NEW_TARGETS_A_DAY} new addresses within a day.`;
  return failed(message, "Try again tomorrow, or ask the administrator of this server.");
}

/** Users of mailboxes must not learn which other accounts exist. */
function refusedTarget(message: string, target: string, by: string): CommandError {
  const hidesWhy = isMailboxUser(by) && !by.startsWith(`mailbox:${target} `);
  const text = hidesWhy ? `Your mail cannot be forwarded to ${target}.` : message;
  // `WHO_IS_THERE` names commands, which only root can use.
  return failed(text, isRootUser(by) ? WHO_IS_THERE : "Give another address.");
}

function ownAddress(name: Address, by: string): string {
  const how = isRootUser(by) ? "by --keep, the default without --no-keep" : "unless you keep none";
  return `${name} gets a copy ${how}.`;
}
