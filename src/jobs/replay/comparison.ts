import { BoundedMap } from "../../core/bounded-map.ts";
import type { Verdict } from "../../core/decide/decision.ts";
import type { RecordedVerdict } from "../../core/events/columns.ts";
import { type ClientEvent, recordedName } from "../../core/events/event.ts";
import { isAdministrators } from "../../core/events/event-types.ts";
import type { Reason } from "../../core/events/reasons.ts";
import { contains, type Ip, networkAddress, type Prefix } from "../../core/net/ip.ts";
import { isoTime, isoTimeOrNull, type Millis } from "../../core/time.ts";
import type { Replayed } from "./replay.ts";

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
type Counts = Readonly<Record<Kind, Record<Verdict, number>>>;
export type Compared = Readonly<ReturnType<typeof exampleOf>>;
export type ComparedAccount = Readonly<ReturnType<typeof accountOf>>;
export type ComparedAddress = Readonly<ReturnType<typeof itemOf>>;

/** The changes by the other policy, by address and by account. */
export class Comparison {
  readonly #only: Prefix | null;
  readonly #since: Millis;
  readonly #tallies = new BoundedMap<Prefix, Tally>(MOST_TOLD_APART);
  readonly #accounts = new BoundedMap<string, Account>(MOST_TOLD_APART);
  readonly #now: Counts = { connections: none(), mails: none(), sign_ins: none() };
  readonly #examples: Compared[] = [];
  #events = 0;
  #differences = 0;
  #unreached = 0;
  #firstAt: Millis | null = null;
  #lastAt: Millis | null = null;

  /** `only`: an address or network; null: all. Events before `since` are not compared. */
  constructor(only: Prefix | null, since: Millis) {
    this.#only = only;
    this.#since = since;
  }

  see(replayed: Replayed): void {
    const { step, decision } = replayed;
    const { event, at } = step;
    if (at < this.#since || (this.#only !== null && !contains(this.#only, event.ip))) return;
    this.#firstAt ??= at;
    this.#lastAt = at;
    if (step.type === "decided") this.#events++;
    this.#seeBans(replayed);
    if (decision === null) {
      this.#unreached++;
      this.#hit(event, at, null);
      return;
    }
    const difference = differenceOf(replayed);
    if (difference === null) return;
    this.#differences++;
    const prefix = step.type === "decided" ? (step.record.prefix ?? null) : null;
    if (difference === "harder" || difference === "milder") {
      const kind = kindOf(event);
      if (kind !== null) this.#now[kind][decision.verdict]++;
      const tally = prefix === null ? null : this.#tally(prefix, at);
      if (tally !== null) tally[difference]++;
    }
    if (difference === "harder") this.#hit(event, at, decision.reason);
    if (this.#examples.length < MOST_EXAMPLES)
      this.#examples.push(exampleOf(replayed, decision.verdict, decision.reason));
  }

  /** For `--json`. Times are ISO 8601 UTC; `then` is the recorded decision, `now` that of the other policy. */
  report() {
    const tallies = [...this.#tallies].map(([, tally]) => tally);
    const listed = (found: readonly Tally[], most = MOST_LISTED) => ({
      total: found.length,
      items: found
        .toSorted((a, b) => affected(b) - affected(a))
        .slice(0, most)
        .map(itemOf),
    });
    const accounts = [...this.#accounts].map(([, account]) => account).toSorted((a, b) => b.events - a.events);
    return {
      identical: this.#differences === 0 && this.#unreached === 0,
      /** The first and the last compared event; null: there was none. */
      from: isoTimeOrNull(this.#firstAt),
      to: isoTimeOrNull(this.#lastAt),
      events: this.#events,
      differences: this.#differences,
      /** Events that would not have happened, because an earlier step is now refused. */
      unreached: this.#unreached,
      banned: listed(tallies.filter(({ bansThen, bansNow }) => bansNow > 0 && bansThen === 0)),
      notBanned: listed(tallies.filter(({ bansThen, bansNow }) => bansNow === 0 && bansThen > 0)),
      /** Banned then and now, but a different number of times. */
      bannedOtherwise: listed(
        tallies.filter(({ bansThen, bansNow }) => bansNow > 0 && bansThen > 0 && bansNow !== bansThen),
      ),
      spared: listed(tallies.filter(({ sparedThen, sparedNow }) => sparedNow > 0 && sparedThen === 0)),
      notSpared: listed(tallies.filter(({ sparedThen, sparedNow }) => sparedNow === 0 && sparedThen > 0)),
      /** Different decisions, by the new verdict. */
      changed: this.#now,
      accounts: { total: accounts.length, items: accounts.slice(0, MOST_LISTED).map(accountOf) },
      mostAffected: listed(
        tallies.filter((tally) => affected(tally) > 0),
        MOST_AFFECTED,
      ).items,
      examples: this.#examples,
    };
  }

  #seeBans({ step, bans, spared }: Replayed): void {
    const then = step.type === "decided" ? step : { bans: [], spared: [] };
    const found = { Then: then, Now: { bans, spared } };
    for (const when of ["Now", "Then"] as const) {
      for (const { prefix, code } of found[when].bans) {
        const tally = this.#tally(prefix, step.at);
        tally[`bans${when}`]++;
        tally.reason ??= code;
      }
      for (const prefix of found[when].spared) this.#tally(prefix, step.at)[`spared${when}`]++;
    }
  }

  #tally(prefix: Prefix, at: Millis): Tally {
    const known = this.#tallies.touch(prefix);
    if (known !== undefined) return known;
    const none_ = { bansThen: 0, bansNow: 0, sparedThen: 0, sparedNow: 0, harder: 0, milder: 0 };
    const tally: Tally = { prefix, ...none_, firstAt: at, reason: null };
    this.#tallies.set(prefix, tally);
    return tally;
  }

  /** One of our accounts: it signed in at that time, or sent as a signed-in account. */
  #hit(event: ClientEvent, at: Millis, reason: Reason | null): void {
    const name = accountIn(event);
    if (name === null) return;
    const known = this.#accounts.touch(name);
    const account = known ?? { account: name, ip: event.ip, firstAt: at, events: 0, isBanned: false, reason };
    account.events++;
    account.isBanned ||= reason === "banned";
    account.reason ??= reason;
    if (known !== undefined) return;
    this.#accounts.set(name, account);
  }
}

function accountIn(event: ClientEvent): string | null {
  if (event.type === "LOGIN_SUCCEEDED" && !isAdministrators(event.service, event.login))
    return event.login.toLowerCase();
  return "account" in event ? event.account : null;
}

function none(): Record<Verdict, number> {
  return { pass: 0, delay: 0, hold: 0, defer: 0, refuse: 0 };
}

function kindOf(event: ClientEvent): Kind | null {
  switch (event.type) {
    case "CONNECT":
      return "connections";
    case "RECIPIENT":
    case "DATA":
    case "END_OF_MESSAGE":
      return "mails";
    case "LOGIN_ASKED":
    case "LOGIN_SUCCEEDED":
    case "LOGIN_FAILED":
      return "sign_ins";
    case "JAIL_REPORTED":
      return null;
  }
}

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

/** The recorded outcome. A sign-in whose password was checked left no event: it passed. */
export type Then = Readonly<{ verdict: RecordedVerdict | null; reason: Reason | null }>;
/** `harder`: refused, deferred or delayed, and less so at that time. */
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
  const same =
    isSame(
      bans.map(({ prefix, code, expiresAt }) => `${prefix} ${code} ${expiresAt}`),
      step.bans.map(({ prefix, code, expiresAt }) => `${prefix} ${code} ${expiresAt}`),
    ) && isSame(spared, step.spared);
  return same ? null : "bans";
}

const STRICTNESS: readonly (RecordedVerdict | null)[] = [
  "pass",
  "delay",
  "hold",
  "defer",
  "refuse",
] satisfies Verdict[];

function strictness(verdict: RecordedVerdict | null): number {
  return Math.max(0, STRICTNESS.indexOf(verdict));
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one, i) => one === others[i]);
}
