import { decideNetworkEvent } from "../../src/core/decide/command.ts";
import { decide } from "../../src/core/decide/decide.ts";
import type { Change, Decision } from "../../src/core/decide/decision.ts";
import { type Facts, NO_BOUNCE, NO_PRIOR_REPORTS } from "../../src/core/decide/facts.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { OwnNetwork } from "../../src/core/decide/sparing.ts";
import type { NetworkEvent } from "../../src/core/events/command.ts";
import type { ClientEvent, Event } from "../../src/core/events/event.ts";
import { isBounce } from "../../src/core/events/mail.ts";
import type { Protection } from "../../src/core/events/reasons.ts";
import { contains, type Ip, neighbourhoodOf, overlaps, type Prefix, prefixOf } from "../../src/core/net/ip.ts";
import type { Millis } from "../../src/core/time.ts";
import { QUIET, UNSPARED } from "../kit/samples.ts";
import { loginFactsOf, signInsIn, type Unanswered, unansweredAfter } from "./naive-accounts.ts";
import { banOfWhole, type Credited, isWanted } from "./naive-networks.ts";
import {
  bannedOrLifted,
  bansIn,
  bounceOf,
  changesOf,
  failuresOf,
  isFirstContact,
  isWithin,
  type Kept,
  listingsIn,
  offencesIn,
  priorReportsOf,
  recipientKind,
  sessionMails,
  timesOf,
  unforgivenIn,
} from "./naive-recount.ts";
import { type Refused, refusedOf, sendingFactsOf, writtenToIn } from "./naive-sending.ts";
import { serverFactsOf } from "./naive-server.ts";
import { type AdministratorSeen, isAdministrators, isCrowd, type Seen, unbanned } from "./naive-sparing.ts";
import type { Refusal } from "./scenario.ts";

/** The oracle keeps every event and recounts all of them each time. It is slow and obvious. The engine must decide the same. */
export function naiveHistory(policy: Policy, own: readonly OwnNetwork[]) {
  const kept: Kept[] = [];
  const credits: Credited[] = [];
  const refused: Refused[] = [];
  let administrators: AdministratorSeen[] = [];
  let unanswered: readonly Unanswered[] = [];
  /** Where the count starts for what only the engine's memory knows. */
  let startedAfter = 0;

  const sinceStart = () => kept.slice(startedAfter);
  const allChanges = () => changesOf(kept);
  const given = () => ({ from: startedAfter, policy, refused });
  const isWantedAt = (subject: Prefix) => isWanted(credits.filter(({ prefix }) => prefix === subject));

  function decideAt(event: Event, at: Millis): Decision {
    if (event.type !== "BAN_EXPIRED") expire(at);
    const subject = "prefix" in event ? event.prefix : subjectOf(event.ip);
    const sending = sendingFactsOf(kept, given(), event, subject);
    const known = { at, event, subject, isWanted: isWantedAt(subject), sending };
    const decision = "prefix" in event ? commandAt(event, at) : clientAt(event, at);
    kept.push({ ...known, decision, changes: decision.changes });
    return decision;
  }

  function expire(at: Millis): void {
    for (const { prefix, expiresAt } of bansIn(allChanges()))
      if (expiresAt !== null && expiresAt <= at) decideAt({ type: "BAN_EXPIRED", prefix }, at);
  }

  function commandAt(event: NetworkEvent, at: Millis): Decision {
    const standing = bansIn(allChanges());
    const facts = {
      sparing: () => ({ ...UNSPARED, protection: whyNot(event.prefix, seen(), at) }),
      ban: standing.find((ban) => ban.prefix === event.prefix) ?? null,
      listed: listingsIn(allChanges()).get(event.prefix) ?? null,
      covered: standing
        .map((ban) => ban.prefix)
        .filter((prefix) => prefix === event.prefix || isWithin(prefix, event.prefix))
        .toSorted(),
    };
    return decideNetworkEvent(facts, event, at);
  }

  function clientAt(event: ClientEvent, at: Millis): Decision {
    const facts = factsOf(event, at);
    // The core is told that nothing forbids a ban and no network offends, because both are computed here.
    const due = decide(policy, facts, event, at);
    const decided = spared(due, event, at);
    unanswered = unansweredAfter(unanswered, event, decided, { ...facts, at });
    if ("withoutBan" in event && event.withoutBan) return decided;
    return { ...decided, changes: [...decided.changes, ...ofNetwork(facts, decided, event, at)] };
  }

  function spared(due: Decision, event: ClientEvent, at: Millis): Decision {
    const reportedNow = (prefix: Prefix): boolean => wasReported(prefix, at);
    const ban = due.changes.find((change) => change.type === "BAN")?.ban;
    const why = ban === undefined ? null : whyNot(ban.prefix, [...seen(), { at, event }], at);
    if (why !== null) return unbanned(due, event, why, reportedNow);
    return { ...due, changes: due.changes.filter((change) => change.type !== "SPARE" || !reportedNow(change.prefix)) };
  }

  function ofNetwork(facts: Facts, decided: Decision, event: ClientEvent, at: Millis): readonly Change[] {
    const { ip, network, prefix: subject } = facts;
    if (network === subject) return [];
    const changes = [...allChanges(), ...decided.changes.map((change) => ({ change, at }))];
    const history = { changes, standing: bansIn(allChanges()), unforgiven: unforgivenIn(changes), credits };
    const due = banOfWhole(policy, history, { ip, network, decided, now: at });
    if (due === null) return [];
    const signIns = signInsIn(allChanges(), at - policy.accounts.knownForMs);
    const isHome = signIns.some(({ prefix }) => overlaps(prefix, network));
    const why =
      whyNot(network, [...seen(), { at, event }], at) ??
      (isHome ? "known_network" : due.spared ? "honest_network" : null);
    if (why === null) return [due.change];
    const { code } = due.change.ban;
    return wasReported(network, at) ? [] : [{ type: "SPARE", prefix: network, ip, why, code }];
  }

  /** Returns what forbids a ban of this network. */
  function whyNot(network: Prefix, seen: readonly Seen[], at: Millis): Protection | null {
    const listed = protectionOf(network);
    if (listed !== null) return listed;
    if (isAdministrators(network, administrators, at)) return "admin_session";
    return isCrowd(network, seen, at) ? "all_clients" : null;
  }

  /** What clients did since the engine started. */
  function seen(): readonly Seen[] {
    return sinceStart().flatMap(({ event, at }) => ("ip" in event ? [{ at, event }] : []));
  }

  function wasReported(prefix: Prefix, at: Millis): boolean {
    return changesOf(sinceStart()).some(
      ({ change, at: reportedAt }) => change.type === "SPARE" && change.prefix === prefix && at - reportedAt < 600_000,
    );
  }

  function factsOf(event: ClientEvent, at: Millis): Facts {
    const { ip } = event;
    const subject = subjectOf(ip);
    const account = "account" in event ? event.account : null;
    const memory = at - policy.bans.memoryMs;
    const since = countedSince(subject);
    const network = neighbourhoodOf(ip, policy.bans.ipv6Prefix);
    const changes = allChanges();
    return {
      prefix: subject,
      network,
      ip,
      protection: protectionOf(subject),
      isKnown: changes.some(
        ({ change, at: when }) => change.type === "KNOW" && change.prefix === subject && when > memory,
      ),
      ban: bansIn(changes).find((ban) => contains(ban.prefix, ip)) ?? null,
      // Bans by the engine itself, except those that the administrator lifted.
      offences: offencesIn(changes, subject, policy.bans.memoryMs, at),
      connections: timesOf(since.filter((one) => one.event.type === "CONNECT")),
      mails: timesOf(since.filter((one) => one.event.type === "DATA" && one.event.account === null)),
      probes: timesOf(since.filter((one) => one.event.type === "RECIPIENT" && !isBounce(one.event))),
      bounces: timesOf(since.filter((one) => one.event.type === "RECIPIENT" && isBounce(one.event))),
      bounce: event.type === "RECIPIENT" && isBounce(event) ? bounceOf(changes, event) : NO_BOUNCE,
      hasOtherExtension: false,
      isAnswer: false,
      isWanted: isWantedAt(subject),
      sparing: () => UNSPARED,
      neighbourhood: () => ({ ...QUIET, settledAt: at }),
      sessionMails: event.type === "DATA" ? sessionMails(kept, event.session) : 0,
      sessionRecipients: 0,
      recipient: event.type === "RECIPIENT" && account === null ? recipientKind(event.recipient) : "exists",
      accountNetworks: [],
      priorReports:
        event.type === "JAIL_REPORTED" ? priorReportsOf(kept, { subject, report: event, now: at }) : NO_PRIOR_REPORTS,
      isAccountActive: true,
      ...loginFactsOf(policy, { changes, unanswered }, { event, subject, network }, at),
      isSenderHere: false,
      ...serverFactsOf(kept, given(), { at, event, subject }),
      isFirstContact: event.type === "RECIPIENT" && account === null && isFirstContact(event),
      writtenTo: writtenToIn(sinceStart(), event),
      failures: failuresOf(kept, subject, since, at),
      sending: sendingFactsOf(kept, given(), event, subject),
    };
  }

  /** Counts since the last ban on the subject started or was lifted. */
  function countedSince(subject: Prefix): readonly Kept[] {
    const last = kept.findLastIndex(({ changes }) => changes.some((change) => bannedOrLifted(change) === subject));
    return kept.slice(last + 1).filter((one) => one.decision.counted && "ip" in one.event && one.subject === subject);
  }

  function protectionOf(network: Prefix): Protection | null {
    const ours = own.find(({ prefix }) => overlaps(prefix, network));
    if (ours !== undefined) return ours.why;
    const allowed = [...policy.allow, ...listingsIn(allChanges()).keys()];
    return allowed.some((prefix) => overlaps(prefix, network)) ? "allow_listed" : null;
  }

  function subjectOf(ip: Ip): Prefix {
    const network = prefixOf(ip, policy.bans.ipv6Prefix);
    return protectionOf(network) === null ? network : prefixOf(ip, 128);
  }

  return {
    decide: decideAt,
    administratorAt: (ip: Ip, at: Millis): void => void administrators.push({ ip, at }),
    credit: (credited: Credited): void => void credits.push(credited),
    refuse: (refusal: Refusal): void =>
      void refused.push(...refusedOf(sinceStart(), refused, refusal, policy.sending.refused.windowMs)),
    /** The engine restarts, and forgets what only its memory knew. */
    restart: (): void => {
      startedAfter = kept.length;
      administrators = [];
      unanswered = [];
    },
  };
}
