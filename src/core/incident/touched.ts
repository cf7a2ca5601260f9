import type { TouchedAccount, TouchedAddress, TouchedMail } from "./assess.ts";

/** Those that an account was used from; from the others somebody only guessed. */
export function usedAddresses(addresses: readonly TouchedAddress[]): readonly TouchedAddress[] {
  return addresses.filter(({ accounts }) => accounts.length > 0);
}

/** Those that reached somebody. */
export function mailsThatLeft(mails: readonly TouchedMail[]): readonly TouchedMail[] {
  return mails.filter(({ reached }) => reached.length > 0);
}

/** For a line of a table: account, sign-ins, wrong passwords, mails, of these held, recipients. */
export function accountCells(one: TouchedAccount): readonly string[] {
  return [one.account, ...countCells(one), `${one.held}`, `${one.recipients}`];
}

/** For a line of a table: sign-ins, wrong passwords, mails. */
export function countCells(one: Pick<TouchedAddress, "signIns" | "failedSignIns" | "mails">): readonly string[] {
  return [`${one.signIns}`, `${one.failedSignIns}`, `${one.mails}`];
}
