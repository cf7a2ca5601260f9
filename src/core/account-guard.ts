import { type Change, type Decision, decision } from "./decision.ts";
import type { AccountFacts, Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";

/**
 * Guessing at one account, spread over so many addresses that none goes over a limit of its own. Whoever the account
 * does not know is refused before the password is verified; whom it knows goes on. An account that does not exist is
 * guarded likewise, so that nobody learns which do.
 */
export function guardAccount(policy: Policy, { account, network }: Facts, passwordHash: string): Decision | null {
  if (account === null || account.kinship === "address" || account.guesses < policy.accounts.failures) return null;
  const { failures: limit, windowMs } = policy.accounts;
  const evidence = { count: account.guesses, limit, windowMs };
  if (isLikelyRight(account, passwordHash))
    return decision("refuse", "right_password_guarded", { evidence, counted: false });
  return decision("refuse", "account_guarded", { evidence, changes: [guess(account, network, passwordHash)] });
}

/** What a wrong password that reached verification leaves behind: nothing where the account knows the address. */
export function guesses({ account, network }: Facts, passwordHash: string): readonly Change[] {
  return account === null || account.kinship === "address" ? [] : [guess(account, network, passwordHash)];
}

function guess({ name }: AccountFacts, network: Facts["network"], proof: string): Change {
  return { type: "GUESS", account: name, network, proof };
}

/** The hash has 12 bits: one wrong password in 4,096 looks right, and no right one looks wrong. */
function isLikelyRight({ lastProof }: AccountFacts, passwordHash: string): boolean {
  return lastProof !== "" && lastProof === passwordHash;
}
