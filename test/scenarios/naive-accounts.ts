import type { AccountFacts } from "../../src/core/decide/facts.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import { overlaps, type Prefix } from "../../src/core/net/ip.ts";
import type { Millis } from "../../src/core/time.ts";
import type { Changed } from "./naive-recount.ts";

/** What the oracle recounts of accounts. */

type SignIn = Readonly<{ prefix: Prefix; account: string; proof: string }>;
type Login = Readonly<{ login: string; subject: Prefix; network: Prefix }>;

export function signInsIn(changes: readonly Changed[], since: number): readonly SignIn[] {
  return changes.flatMap(({ change, at }) =>
    change.type === "KNOW" && at > since ? [{ ...change, account: change.account.toLowerCase() }] : [],
  );
}

export function accountFactsOf(
  policy: Policy,
  changes: readonly Changed[],
  { login, subject, network }: Login,
  at: Millis,
): AccountFacts {
  const name = login.toLowerCase();
  const { failures, windowMs, knownForMs } = policy.accounts;
  const known = signInsIn(changes, at - knownForMs).filter(({ account }) => account === name);
  const isNear = known.some(({ prefix }) => overlaps(prefix, network));
  const kinship = known.some(({ prefix }) => prefix === subject) ? "address" : isNear ? "network" : "stranger";
  const tried = changes.flatMap(({ change, at: when }) =>
    change.type === "GUESS" && change.account === name && when > at - windowMs ? [change] : [],
  );
  const counted = tried.filter((guess) => kinship === "stranger" || guess.network === network);
  // Each password counts for one network, each network for a quarter of the limit at most.
  const passwords = [...new Set(counted.map(({ proof }) => proof))];
  const networks = passwords.map(
    (password) => counted.flatMap((guess) => (guess.proof === password ? [guess.network] : [])).toSorted()[0],
  );
  const share = kinship === "stranger" ? Math.ceil(failures / 4) : failures;
  const capped = networks.filter((each, i) => networks.slice(0, i).filter((other) => other === each).length < share);
  const different = kinship === "address" ? 0 : capped.length;
  return {
    name,
    kinship,
    guesses: Math.min(failures, different),
    lastProof: known.findLast(({ proof }) => proof !== "")?.proof ?? "",
  };
}
