import type { EventType } from "../events/event-types.ts";
import type { Prefix } from "../net/ip.ts";
import { type Change, type Decision, decision } from "./decision.ts";
import type { AccountFacts, Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";

/** A password of this hash, tried out of a network by somebody whom the account does not know. */
export type Guess = Readonly<{ network: Prefix; proof: string }>;

export type GuessedAt = Pick<Facts, "account" | "network">;

/**
 * Guessing at one account, spread over so many addresses that none goes over a limit of its own. Whoever the account
 * does not know is refused before the password is verified; whom it knows goes on. An account that does not exist is
 * guarded likewise, so that nobody learns which do.
 */
export function guardAccount(policy: Policy, { account, network }: GuessedAt, passwordHash: string): Decision | null {
  if (account === null || account.kinship === "address" || account.guesses < policy.accounts.failures) return null;
  const { failures: limit, windowMs } = policy.accounts;
  const evidence = { count: account.guesses, limit, windowMs, key: "limits.accounts.failures" };
  if (isLikelyRight(account, passwordHash))
    return decision("refuse", "right_password_guarded", { evidence, counted: false });
  // A neighbour's tries that nobody heard would keep the owner's own network out for ever.
  const changes = account.kinship === "network" ? [] : [guess(account, network, passwordHash)];
  return decision("refuse", "account_guarded", { evidence, changes });
}

/** What a wrong password that reached verification leaves behind: nothing where the account knows the address. */
export function guesses({ account, network }: GuessedAt, passwordHash: string): readonly Change[] {
  return account === null || account.kinship === "address" ? [] : [guess(account, network, passwordHash)];
}

/** No network adds more to the guard of an account than this: one quiet host must not keep its owner out for ever. */
export function networkShare({ accounts }: Policy): number {
  return Math.ceil(accounts.failures / 4);
}

/**
 * Different passwords, no network counting for more than `share`. A password tried out of several counts for one of
 * them only, so that decoys which all of them try hide nothing. Hashes that are not known differ from all others.
 */
export function countGuesses(guesses: readonly Guess[], share: number): number {
  const networkOf = new Map<string, Prefix>();
  for (const [i, { network, proof }] of guesses.entries()) {
    const password = proof === "" ? `unknown ${i}` : proof;
    const other = networkOf.get(password);
    if (other === undefined || network < other) networkOf.set(password, network);
  }
  const counts = new Map<Prefix, number>();
  for (const network of networkOf.values()) counts.set(network, (counts.get(network) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum + Math.min(count, share), 0);
}

/** What the administrator does for an owner who is kept out lowers the guard; it rises again with what is tried anew. */
export function guardLowered({ type, subject }: Readonly<{ type: EventType; subject: string }>): Change | null {
  switch (type) {
    case "BREAK_GLASS":
      return { type: "FORGET_GUESSES", account: null };
    case "ACCOUNT_ADDED":
    case "ACCOUNT_RESUMED":
    case "PASSWORD_CHANGED":
      return { type: "FORGET_GUESSES", account: subject.toLowerCase() };
    default:
      return null;
  }
}

function guess({ name }: AccountFacts, network: Facts["network"], proof: string): Change {
  return { type: "GUESS", account: name, network, proof };
}

/** The hash has 12 bits: one wrong password in 4,096 looks right, and no right one looks wrong. */
function isLikelyRight({ lastProof }: AccountFacts, passwordHash: string): boolean {
  return lastProof !== "" && lastProof === passwordHash;
}
