import type { Prefix } from "../net/ip.ts";
import type { Change } from "./decision.ts";
import type { AccountFacts, Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";

/** A password with this hash, tried from a network that the account does not know. */
export type Guess = Readonly<{ network: Prefix; passwordHash: string }>;

/** Maximum characters of a guessed name. Bounds the memory that a flood of typed names takes; longer real names are rare. */
export const LONGEST_NAME = 64;

/** Records a password that verification found wrong, unless the account knows the address. */
export function guesses({ account, network }: Facts, passwordHash: string): readonly Change[] {
  return account === null || account.kinship === "address" ? [] : [guess(account, network, passwordHash)];
}

/** Records a password that was refused without a check. */
export function refusedGuesses({ account, network }: Facts, passwordHash: string): readonly Change[] {
  // Otherwise a neighbour's refused attempts would keep the owner's own network out forever.
  return account?.kinship === "stranger" ? [guess(account, network, passwordHash)] : [];
}

/** Maximum guesses that count for one network, so that one quiet host cannot trigger an account's guard. */
export function networkShare({ accounts }: Policy): number {
  return Math.ceil(accounts.failures / 4);
}

/** The share of an account's budget that one network may use. A network that can be banned rarely gets further in a day. */
export function candidatesShare({ accounts }: Policy): number {
  return Math.ceil(accounts.candidates / 25);
}

/** Maximum that all networks together use beyond their shares, because those that cannot be banned must not use up the budget. */
export function commonShare({ accounts }: Policy): number {
  return Math.ceil(accounts.candidates / 4);
}

/**
 * Counts different passwords, at most `share` for each network. A password tried from several networks counts for only one of them, so that
 * decoys used by all of them hide nothing. Unknown hashes differ from all others.
 */
export function countGuesses(guesses: readonly Guess[], share: number): number {
  const networkOf = new Map<string, Prefix>();
  for (const [i, { network, passwordHash }] of guesses.entries()) {
    const password = passwordHash === "" ? `unknown ${i}` : passwordHash;
    const other = networkOf.get(password);
    if (other === undefined || network < other) networkOf.set(password, network);
  }
  return countShares(networkOf.values(), share).within;
}

/** Of all guesses: those within each network's share, and those above it. */
export type Shares = Readonly<{ within: number; beyond: number }>;

export function countShares(networks: Iterable<Prefix>, share: number): Shares {
  const counts = new Map<Prefix, number>();
  for (const network of networks) counts.set(network, (counts.get(network) ?? 0) + 1);
  const all = [...counts.values()];
  const within = all.reduce((sum, count) => sum + Math.min(count, share), 0);
  return { within, beyond: all.reduce((sum, count) => sum + count, 0) - within };
}

/**
 * Returns the name under which guesses at an account are kept. Long names are truncated, so those with the same start count as one, but
 * their passwords still differ, because Dovecot hashes the whole name with them.
 */
export function guessedName(account: string): string {
  return account.slice(0, LONGEST_NAME).toWellFormed();
}

/** Whether the password has the hash of one with which the account recently signed in, or of the one that was set. */
export function looksRight({ account }: Pick<Facts, "account">, passwordHash: string): boolean {
  return passwordHash !== "" && account !== null && account.passwordHashes.includes(passwordHash);
}

function guess(account: AccountFacts, network: Facts["network"], passwordHash: string): Change {
  const isStale = looksRight({ account }, passwordHash);
  return { type: "GUESS", account: guessedName(account.name), network, passwordHash, isStale };
}
