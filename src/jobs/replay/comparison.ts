import { isDeepStrictEqual } from "node:util";
import { BoundedMap } from "../../core/bounded-map.ts";
import type { Verdict } from "../../core/decide/decision.ts";
import type { RecordedVerdict } from "../../core/events/columns.ts";
import { type ClientEvent, recordedName } from "../../core/events/event.ts";
import { isAdministrators } from "../../core/events/event-types.ts";
import type { Reason } from "../../core/events/reasons.ts";
import { contains, type Ip, networkAddress, type Prefix } from "../../core/net/ip.ts";
import { isoTime, isoTimeOrNull, type Millis } from "../../core/time.ts";
import type { Replayed } from "./replay.ts";
import type { RecordedBan } from "./sequence.ts";

/** Maximum networks and accounts that are counted separately. Beyond it, the least recently seen are forgotten. */
const MOST_TOLD_APART = 50_000;
const MOST_LISTED = 100;
const MOST_AFFECTED = 10;
const MOST_EXAMPLES = 50;

type Tally = {
  readonly prefix: Prefix;
  bansThen: number;
  bansNow: number;
  sparedThen: number;
  sparedNow: number;
  /** Decisions that are stricter now than then (`harder`), or less strict (`milder`). */
  harder: number;
  milder: number;
  firstAt: Millis;
  /** The reason of its first ban, then or now. */
  reason: Reason | null;
};
/** An account of this server whose sign-in or mail would be refused, deferred or delayed now, and was not then. */
type Account = {
  readonly account: string;
  ip: Ip;
  firstAt: Millis;
  events: number;
  isBanned: boolean;
  reason: Reason | null;
};
type Kind = "connections" | "mails" | "sign_ins";
export type Compared = Readonly<ReturnType<typeof exampleOf>>;
export type ComparedAccount = Readonly<ReturnType<typeof accountOf>>;
export type ComparedAddress = Readonly<ReturnType<typeof itemOf>>;

/**
 * Collects the changes that the other policy makes, by address and by account. `only`: an address or network; null: all. Events before
 * `since` are not compared.
 */
export function comparison(only: Prefix | null, since: Millis) {
  const tallies = new BoundedMap<Prefix, Tally>(MOST_TOLD_APART);
  const accounts = new BoundedMap<string, Account>(MOST_TOLD_APART);
  const changed: Record<Kind, Record<Verdict, number>> = { connections: none(), mails: none(), sign_ins: none() };
  const examples: Compared[] = [];
  const counts = {
    events: 0,
    differences: 0,
    /** Events that would not have happened, because an earlier step is now refused. */
    unreached: 0,
  };
  let firstAt: Millis | null = null;
  let lastAt: Millis | null = null;

  function tallyOf(prefix: Prefix, at: Millis): Tally {
    const known = tallies.touch(prefix);
    if (known !== undefined) return known;
    const nothing = { bansThen: 0, bansNow: 0, sparedThen: 0, sparedNow: 0, harder: 0, milder: 0 };
    const tally: Tally = { prefix, ...nothing, firstAt: at, reason: null };
    tallies.set(prefix, tally);
    return tally;
  }

  function countBans({ step, bans, spared }: Replayed): void {
    const then = step.type === "decided" ? step : { bans: [], spared: [] };
    const found = { Then: then, Now: { bans, spared } };
    for (const when of ["Now", "Then"] as const) {
      for (const { prefix, code } of found[when].bans) {
        const tally = tallyOf(prefix, step.at);
        tally[`bans${when}`]++;
        tally.reason ??= code;
      }
      for (const prefix of found[when].spared) tallyOf(prefix, step.at)[`spared${when}`]++;
    }
  }

  /** Counts an event of one of our accounts, which signed in then or sent mail while signed in. */
  function countAccount(event: ClientEvent, at: Millis, reason: Reason | null): void {
    const name = accountIn(event);
    if (name === null) return;
    const known = accounts.touch(name);
    const account = known ?? { account: name, ip: event.ip, firstAt: at, events: 0, isBanned: false, reason };
    account.events++;
    account.isBanned ||= reason === "banned";
    account.reason ??= reason;
    if (known === undefined) accounts.set(name, account);
  }

  return {
    see: (replayed: Replayed): void => {
      const { step, decision } = replayed;
      const { event, at } = step;
      if (at < since || (only !== null && !contains(only, event.ip))) return;
      firstAt ??= at;
      lastAt = at;
      if (step.type === "decided") counts.events++;
      countBans(replayed);
      if (decision === null) {
        counts.unreached++;
        countAccount(event, at, null);
        return;
      }
      const difference = differenceOf(replayed);
      if (difference === null) return;
      counts.differences++;
      const prefix = step.type === "decided" ? (step.record.prefix ?? null) : null;
      if (difference === "harder" || difference === "milder") {
        const kind = KINDS[event.type];
        if (kind !== null) changed[kind][decision.verdict]++;
        if (prefix !== null) tallyOf(prefix, at)[difference]++;
      }
      if (difference === "harder") countAccount(event, at, decision.reason);
      if (examples.length < MOST_EXAMPLES) examples.push(exampleOf(replayed, decision.verdict, decision.reason));
    },

    /** For `--json`. Times are ISO 8601 UTC; `then` is the recorded decision, `now` that of the other policy. */
    report: () => {
      const all = [...tallies].map(([, tally]) => tally);
      const listed = (isListed: (tally: Tally) => boolean, most = MOST_LISTED) => {
        const found = all.filter(isListed);
        const items = found.toSorted((a, b) => affected(b) - affected(a)).slice(0, most);
        return { total: found.length, items: items.map(itemOf) };
      };
      const hits = [...accounts].map(([, account]) => account).toSorted((a, b) => b.events - a.events);
      return {
        identical: counts.differences === 0 && counts.unreached === 0,
        /** The first and the last compared event; null: there was none. */
        from: isoTimeOrNull(firstAt),
        to: isoTimeOrNull(lastAt),
        ...counts,
        banned: listed(({ bansThen, bansNow }) => bansNow > 0 && bansThen === 0),
        notBanned: listed(({ bansThen, bansNow }) => bansNow === 0 && bansThen > 0),
        /** Banned then and now, but a different number of times. */
        bannedOtherwise: listed(({ bansThen, bansNow }) => bansNow > 0 && bansThen > 0 && bansNow !== bansThen),
        spared: listed(({ sparedThen, sparedNow }) => sparedNow > 0 && sparedThen === 0),
        notSpared: listed(({ sparedThen, sparedNow }) => sparedNow === 0 && sparedThen > 0),
        /** Different decisions, by the new verdict. */
        changed,
        accounts: { total: hits.length, items: hits.slice(0, MOST_LISTED).map(accountOf) },
        mostAffected: listed((tally) => affected(tally) > 0, MOST_AFFECTED).items,
        examples,
      };
    },
  };
}

function accountIn(event: ClientEvent): string | null {
  if (event.type === "LOGIN_SUCCEEDED" && !isAdministrators(event.service, event.login))
    return event.login.toLowerCase();
  return "account" in event ? event.account : null;
}

/** The least strict verdict first. */
function none(): Record<Verdict, number> {
  return { pass: 0, delay: 0, hold: 0, defer: 0, refuse: 0 };
}

const KINDS: Readonly<Record<ClientEvent["type"], Kind | null>> = {
  CONNECT: "connections",
  RECIPIENT: "mails",
  DATA: "mails",
  END_OF_MESSAGE: "mails",
  LOGIN_ASKED: "sign_ins",
  LOGIN_SUCCEEDED: "sign_ins",
  LOGIN_FAILED: "sign_ins",
  JAIL_REPORTED: null,
};

function affected({ bansThen, bansNow, harder, milder }: Tally): number {
  return harder + milder + 10 * Math.abs(bansNow - bansThen);
}

function itemOf({ prefix, firstAt, ...tally }: Tally) {
  return { ip: networkAddress(prefix), prefix, ...tally, firstAt: isoTime(firstAt) };
}

function accountOf({ firstAt, ...account }: Account) {
  return { ...account, firstAt: isoTime(firstAt) };
}

function exampleOf(replayed: Replayed, verdict: Verdict, reason: Reason) {
  const { event, at } = replayed.step;
  const then = thenOf(replayed);
  return {
    at: isoTime(at),
    event: recordedName(event),
    ip: event.ip,
    account: accountIn(event),
    verdictThen: then.verdict,
    reasonThen: then.reason,
    verdictNow: verdict,
    reasonNow: reason,
  };
}

/** The recorded outcome. A sign-in whose password was checked passed at that step, which left no event. */
export type Then = Readonly<{ verdict: RecordedVerdict | null; reason: Reason | null }>;
/** `harder`: a stricter verdict than at that time; `milder`: a less strict one. */
export type Difference = "harder" | "milder" | "reason" | "bans";

function thenOf({ step }: Replayed): Then {
  if (step.type !== "decided") return { verdict: "pass", reason: null };
  return { verdict: step.record.verdict, reason: step.record.reason };
}

/** How the decision differs from the recorded one; null if it is the same. */
export function differenceOf(replayed: Replayed): Difference | null {
  const { step, decision, bans, spared } = replayed;
  const then = thenOf(replayed);
  // An event that no longer happens has no decision. The event that prevents it counts.
  if (decision === null) return null;
  const order = strictness(decision.verdict) - strictness(then.verdict);
  if (order !== 0) return order > 0 ? "harder" : "milder";
  if (step.type === "asked") return decision.recorded ? "reason" : null;
  if (decision.reason !== then.reason) return "reason";
  const outcome = (some: readonly RecordedBan[]) =>
    some.map(({ prefix, code, expiresAt }) => `${prefix} ${code} ${expiresAt}`);
  const isSame = isDeepStrictEqual([outcome(bans), spared], [outcome(step.bans), step.spared]);
  return isSame ? null : "bans";
}

function strictness(verdict: RecordedVerdict | null): number {
  return Math.max(0, Object.keys(none()).indexOf(verdict ?? "pass"));
}
