import type { KeptKey, KeyCounts } from "../../../admin/declare/account-key.ts";
import { messageOf } from "../../../core/error.ts";
import { plural } from "../../../core/text.ts";
import { dayAndTime } from "../../../core/time.ts";
import { legalHoldOf } from "../../../jobs/retention/retention.ts";
import type { Layout } from "../../../settings/layout.ts";
import { PROGRAM } from "../call.ts";
import { oneLine } from "./text.ts";

export const MOST_NAMED = 20;

/** Describes the key of an account's mail; null if the account never had its own key and gets none. */
export function mailKeyText(account: string, keys: readonly KeptKey[], byAccount: boolean): string | null {
  if (keys.length === 0)
    return byAccount ? `the server's, until its password is set: ${PROGRAM} account passwd ${account}` : null;
  const hasOwn = keys.some(({ isOpen }) => isOpen);
  const fresh = hasOwn
    ? "its own, which the password opens"
    : byAccount
      ? "the server's, for new mail"
      : "none, for new mail";
  return isClosed(keys) ? `${fresh}; older mail is locked: ${recoverCommand(account)}` : fresh;
}

/** Whether the account has mail that its password cannot decrypt, because the password was set without the recovery key. */
export function isClosed(keys: readonly KeptKey[]): boolean {
  return keys.some(({ isOpen }) => !isOpen);
}

export function recoverCommand(account: string): string {
  return `${PROGRAM} encryption recover ${account} --recovery-key FILE`;
}

/** Describes the keys of all accounts. Without `byAccount`, new mail does not use them. */
export function keyCountsText({ own, without, ofFile, closed }: KeyCounts, byAccount: boolean): readonly string[] {
  const locked =
    closed.length > 0 &&
    `Older mail of ${named(closed)} is locked, because the password was set without the recovery key: ${recoverCommand("ADDRESS")}`;
  const serverKey = "The server's key encrypts the mail of";
  const all = [
    `${plural(own, "account")} ${own === 1 ? "has its own key, which the password opens" : "have their own keys, which the passwords open"}.`,
    without.length > 0 &&
      `${serverKey} ${named(without)}, until their password is set: ${PROGRAM} account passwd ADDRESS`,
    ofFile > 0 && `${serverKey} ${plural(ofFile, "account")} of the accounts file, whose password is not known here.`,
  ];
  return [...(byAccount ? all : []), locked].filter((line) => line !== false);
}

/** Says that there are more if `MOST_NAMED` are listed. */
function named(names: readonly string[]): string {
  return names.join(", ") + (names.length === MOST_NAMED ? " and others" : "");
}

/** `since 2026-11-20 06:00:00 UTC (a lawsuit)` */
export function sinceText({ since, reason }: Readonly<{ since: string; reason: string }>): string {
  return `since ${dayAndTime(since)}${reason === "" ? "" : ` (${oneLine(reason)})`}`;
}

/** The warning about a legal hold when an account is removed; empty if there is none. Never throws. */
export function heldText(layout: Pick<Layout, "legalHolds">, account: string): readonly string[] {
  try {
    const held = legalHoldOf(layout.legalHolds, account);
    return held === null ? [] : [`It has been under legal hold ${sinceText(held)}: keep its mail.`];
  } catch (error) {
    return [`${messageOf(error)}.`];
  }
}
