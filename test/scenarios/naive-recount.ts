import type { Ban, Change, Decision } from "../../src/core/decide/decision.ts";
import type {
  BounceFacts,
  FailedLogin,
  PriorReports,
  RecipientKind,
  SendingFacts,
} from "../../src/core/decide/facts.ts";
import type { Event } from "../../src/core/events/event.ts";
import type { Recipient } from "../../src/core/events/mail.ts";
import type { JailLine, JailReported } from "../../src/core/events/report.ts";
import { withoutExtension } from "../../src/core/net/address.ts";
import { contains, networkAddress, type Prefix } from "../../src/core/net/ip.ts";
import { DAY_MS, instant, MINUTE_MS, type Millis, SECOND_MS } from "../../src/core/time.ts";

/** The oracle's recount of everything that happened, with one function per fact. */

/** `subject`: the prefix by which it was counted, which later changes of the allow list do not affect. */
export type Kept = Readonly<{
  at: Millis;
  event: Event;
  subject: Prefix;
  decision: Decision;
  changes: readonly Change[];
  /** Whether mail of the client was wanted before. */
  isWanted: boolean;
  /** What was known about the account that sent. */
  sending?: Pick<SendingFacts, "mail" | "recipient">;
}>;
export type Changed = Readonly<{ change: Change; at: Millis }>;

export function timesOf(kept: readonly Kept[]): readonly Millis[] {
  return kept.map(({ at }) => at);
}

export function changesOf(kept: readonly Kept[]): readonly Changed[] {
  return kept.flatMap(({ changes, at }) => changes.map((change) => ({ change, at })));
}

/** Each mail of a scenario has one recipient. */
export function bounceOf(changes: readonly Changed[], { recipient, clientName }: Recipient): BounceFacts {
  const owner = withoutExtension((recipient ?? "").toLowerCase());
  return {
    hasOther: false,
    isExpected: changes.some(
      ({ change }) =>
        change.type === "CORRESPOND" &&
        change.account === owner &&
        `.${clientName ?? ""}`.endsWith(`.${change.address.slice(change.address.indexOf("@") + 1)}`),
    ),
  };
}

type NewReport = Readonly<{ subject: Prefix; report: JailReported; now: Millis }>;

export function priorReportsOf(kept: readonly Kept[], { subject, report, now }: NewReport): PriorReports {
  const { jail, lastAt, windowMs, lines } = report;
  const earlier = changesOf(kept).flatMap(({ change }) =>
    change.type === "NOTE_REPORT" && change.prefix === subject && change.jail === jail ? [change] : [],
  );
  const bans = changesOf(kept).flatMap(({ change }) =>
    change.type === "BAN" && contains(change.ban.prefix, networkAddress(subject)) ? [change.ban.createdAt] : [],
  );
  const answered = Math.max(...bans.filter((when) => when <= now));
  const upTo = Math.max(answered, ...earlier.map(({ at }) => at).filter((when) => when <= now));
  const carried = (earlier.at(-1)?.unjudged ?? []).filter((at) => at > answered && at > lastAt - windowMs);
  const fresh = lines.filter((line) => line.at > upTo && !isJudged(kept, subject, line)).map(({ at }) => at);
  const tried = kept.flatMap(({ event, subject: of, at, decision }) =>
    "passwordHash" in event &&
    isLogin(event, decision) &&
    of === subject &&
    at > lastAt - windowMs - 4 * MINUTE_MS &&
    at <= lastAt + 5 * SECOND_MS
      ? [event.passwordHash]
      : [],
  );
  return {
    upTo: Number.isFinite(upTo) ? instant(upTo) : null,
    passwords: [...new Set(tried)].slice(0, 2),
    unjudged: [...carried, ...fresh],
  };
}

function isJudged(kept: readonly Kept[], subject: Prefix, line: JailLine): boolean {
  const lateMs = line.about === "login" ? 4 * MINUTE_MS : 15 * SECOND_MS;
  return kept.some(
    ({ event, subject: of, at, decision }) =>
      of === subject &&
      at > line.at - lateMs &&
      at <= line.at + 5 * SECOND_MS &&
      (line.about === "login" ? isLogin(event, decision) : line.about === "refusal" && isRefusal(event, decision)),
  );
}

function isLogin(event: Event, { verdict }: Decision): boolean {
  return event.type === "LOGIN_FAILED" || (event.type === "LOGIN_ASKED" && verdict === "refuse");
}

function isRefusal({ type }: Event, { verdict }: Decision): boolean {
  const asked = type === "CONNECT" || type === "RECIPIENT" || type === "DATA" || type === "END_OF_MESSAGE";
  return asked && (verdict === "refuse" || verdict === "defer");
}

/** Bans for offences, one per network and instant, that no command has forgiven for the network or a wider one. */
export function unforgivenIn(changes: readonly Changed[]): readonly Ban[] {
  let counting: readonly Ban[] = [];
  const standing = new Map<Prefix, Ban>();
  for (const { change } of changes) {
    if (change.type === "BAN") {
      const { ban } = change;
      standing.set(ban.prefix, ban);
      const others = counting.filter((one) => one.prefix !== ban.prefix || one.createdAt !== ban.createdAt);
      counting = ban.offences > 0 ? [...others, ban] : counting;
    } else if (change.type === "LIFT") {
      const { prefix, forgiven } = change;
      const lifted = standing.get(prefix);
      standing.delete(prefix);
      if (forgiven)
        counting = counting.filter(
          (one) =>
            !(one.prefix === prefix && one.createdAt === lifted?.createdAt) &&
            !(isWithin(one.prefix, prefix) && standing.get(one.prefix)?.createdAt !== one.createdAt),
        );
    }
  }
  return counting;
}

/** Offences of the subject within the memory, which does not run while it is banned. */
export function offencesIn(changes: readonly Changed[], subject: Prefix, memoryMs: number, now: Millis): number {
  const spans: { from: number; to: number }[] = [];
  for (const { change, at } of changes) {
    if (bannedOrLifted(change) !== subject) continue;
    const last = spans.at(-1);
    if (last !== undefined) last.to = Math.min(last.to, at);
    if (change.type === "BAN") spans.push({ from: at, to: change.ban.expiresAt ?? Number.POSITIVE_INFINITY });
  }
  return unforgivenIn(changes).filter(({ prefix, createdAt }) => {
    if (prefix !== subject) return false;
    const [own, ...later] = spans.filter(({ from }) => from >= createdAt);
    const free = later.reduce((sum, { from, to }) => sum - (to - from), now - (own?.to ?? createdAt));
    return free < memoryMs;
  }).length;
}

/** Wrong passwords of a week that no administrator forgave. A ban has settled those that are not among `since`. */
export function failuresOf(
  all: readonly Kept[],
  subject: Prefix,
  since: readonly Kept[],
  now: Millis,
): readonly FailedLogin[] {
  return all.slice(forgivenUpTo(all, subject) + 1).flatMap((kept) => {
    const { event, decision, at } = kept;
    if (event.type !== "LOGIN_FAILED" && event.type !== "LOGIN_ASKED") return [];
    if (kept.subject !== subject || !decision.counted || now - at >= 7 * DAY_MS) return [];
    const failure = { at, passwordHash: event.passwordHash, account: event.login.toLowerCase() };
    return [since.includes(kept) ? failure : { ...failure, spent: true as const }];
  });
}

/** The index of the last event that an administrator forgave the subject; forgiving a network forgives its ended bans. */
function forgivenUpTo(all: readonly Kept[], subject: Prefix): number {
  let [standing, ended, forgiven] = [false, -1, -1];
  for (const [i, { changes }] of all.entries())
    for (const change of changes) {
      if (bannedOrLifted(change) === subject) {
        if (standing) ended = i;
        standing = change.type === "BAN";
      }
      if (change.type !== "LIFT" || !change.forgiven) continue;
      if (change.prefix === subject || isWithin(subject, change.prefix)) forgiven = Math.max(forgiven, ended);
    }
  return forgiven;
}

/** Whether the prefix is a smaller part of the network. */
export function isWithin(prefix: Prefix, network: Prefix): boolean {
  return prefix !== network && contains(network, networkAddress(prefix));
}

export function bannedOrLifted(change: Change): Prefix | null {
  if (change.type === "BAN") return change.ban.prefix;
  return change.type === "LIFT" ? change.prefix : null;
}

export function bansIn(changes: readonly Changed[]): readonly Ban[] {
  const standing = new Map<Prefix, Ban>();
  for (const { change } of changes) {
    if (change.type === "BAN") standing.set(change.ban.prefix, change.ban);
    else if (change.type === "LIFT") standing.delete(change.prefix);
  }
  return [...standing.values()];
}

type Listing = Readonly<{ note: string; expiresAt: Millis | null }>;

export function listingsIn(changes: readonly Changed[]): ReadonlyMap<Prefix, Listing> {
  const listed = new Map<Prefix, Listing>();
  for (const { change } of changes) {
    if (change.type === "ALLOW") listed.set(change.prefix, change);
    else if (change.type === "DISALLOW") listed.delete(change.prefix);
  }
  return listed;
}

export function sessionMails(all: readonly Kept[], session: string): number {
  const from = all.findLastIndex(({ event }) => event.type === "CONNECT" && event.session === session);
  return all
    .slice(from + 1)
    .filter(({ event, decision }) => event.type === "DATA" && event.session === session && decision.verdict === "pass")
    .length;
}

/** True for all clients but this one large provider. */
export function isFirstContact({ clientName }: Pick<Recipient, "clientName">): boolean {
  return clientName === null || !clientName.endsWith(".google.com");
}

/** In the tests all addresses exist except `nobody`, `nobody1` and so on, and `admin`. */
export function recipientKind(address: string | null): RecipientKind {
  if (/^nobody\d*@/.test(address ?? "")) return "unknown";
  return address?.startsWith("admin@") === true ? "blocked" : "exists";
}
