import { nextBan } from "../../src/core/decide/ban-ladder.ts";
import type { Ban, Change, Decision } from "../../src/core/decide/decision.ts";
import type { Credit } from "../../src/core/decide/honest-mail.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import { contains, type Ip, networkAddress, type Prefix } from "../../src/core/net/ip.ts";
import { DAY_MS, type Millis } from "../../src/core/time.ts";
import { guessesIn, passwordOf } from "./naive-accounts.ts";
import { bannedOrLifted, type Changed, isWithin, offencesIn } from "./naive-recount.ts";

/** The oracle's view of networks whose addresses offend together, by the words of docs/bans.md. */

/** A mail that vouches for a server. */
export type Credited = Readonly<{ at: Millis; prefix: Prefix; network: Prefix; mail: Credit }>;

/** Everything up to now, including the changes of the decision itself. `unforgiven`: bans for offences that still count. */
type NetworkHistory = Readonly<{
  changes: readonly Changed[];
  standing: readonly Ban[];
  unforgiven: readonly Ban[];
  credits: readonly Credited[];
}>;
type Offender = Readonly<{ ip: Ip; network: Prefix; decided: Decision; now: Millis }>;

/** The ban of the network that the decision causes, unless the network is protected. `spared`: for its honest mail. */
export function banOfWhole(
  policy: Policy,
  history: NetworkHistory,
  { ip, network, decided, now }: Offender,
): Readonly<{ change: Extract<Change, { type: "BAN" }>; spared: boolean }> | null {
  const { bans, networks } = policy;
  if (history.standing.some(({ prefix }) => contains(prefix, networkAddress(network)) && isAsWide(prefix, network)))
    return null;
  // A ban of the network, or its end, settles the offences before it.
  const answers = history.changes.filter(({ change }) => bannedOrLifted(change) === network);
  const spent = Math.max(0, ...answers.map(({ at }) => at));
  const inside = history.unforgiven.filter(({ prefix }) => isWithin(prefix, network));
  const judged = inside.filter(
    ({ code, createdAt }) => JUDGED.has(code) && createdAt > spent && createdAt > now - bans.memoryMs,
  );
  const offenders = decided.changes.some((change) => change.type === "BAN" && JUDGED.has(change.ban.code))
    ? new Set(judged.map(({ prefix }) => prefix)).size
    : 0;
  const guesses = decided.changes.some(({ type }) => type === "GUESS")
    ? new Set(
        guessesIn(history.changes, Math.max(spent, now - networks.windowMs), now)
          .filter((tried) => tried.network === network)
          .map(passwordOf),
      ).size
    : 0;

  const guilty = new Set(
    inside
      .filter(({ createdAt }) => createdAt > now - Math.max(30 * DAY_MS, bans.memoryMs))
      .map(({ prefix }) => prefix),
  );
  const honest = history.credits.filter(({ network: of, prefix, at }) => {
    const isRecent = Math.floor(at / DAY_MS) >= Math.floor((now - 30 * DAY_MS) / DAY_MS);
    return of === network && isRecent && !guilty.has(prefix);
  });
  const servers = [...new Set(honest.map(({ prefix }) => prefix))];
  const times = Math.min(5, 1 + servers.length);
  const limits = [
    { code: "neighbours_banned", count: offenders, limit: bans.neighbours * times, windowMs: bans.memoryMs },
    { code: "network_guesses", count: guesses, limit: networks.failures * times, windowMs: networks.windowMs },
  ] as const;
  const found = limits.find(({ count, limit }) => count >= limit);
  if (found === undefined) return null;
  const { code, ...numbers } = found;
  const offences = offencesIn(history.changes, network, bans.memoryMs, now);
  const offence = { code, evidence: { ...numbers, key: null } };
  return {
    change: nextBan(policy, { prefix: network, ip, offences }, offence, now),
    spared: servers.some((server) => isWanted(honest.filter(({ prefix }) => prefix === server))),
  };
}

const JUDGED: ReadonlySet<string> = new Set([
  "login_failures",
  "slow_guessing",
  "recipient_probing",
  "mail_limit",
  "connection_limit",
]);

/** "An account's mail that a server there took; mail of someone to whom an account has written; proven mail on three days." */
export function isWanted(mails: readonly Credited[]): boolean {
  if (mails.some(({ mail }) => mail === "written" || mail === "wanted")) return true;
  const days = mails.flatMap(({ mail, at }) => (mail === "proven" ? [Math.floor(at / DAY_MS)] : []));
  return new Set(days).size >= 3;
}

function isAsWide(prefix: Prefix, network: Prefix): boolean {
  return Number(prefix.split("/")[1]) <= Number(network.split("/")[1]);
}
