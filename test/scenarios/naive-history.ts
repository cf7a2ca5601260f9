import { decideCommand } from "../../src/core/decide/command.ts";
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
  type Changed,
  changesOf,
  failuresOf,
  heardOf,
  isFirstContact,
  isWithin,
  type Kept,
  listingsIn,
  recipientKind,
  sessionMails,
  timesOf,
  unforgivenIn,
} from "./naive-recount.ts";
import { type Refused, refusedOf, sendingFactsOf, writtenToIn } from "./naive-sending.ts";
import { serverFactsOf } from "./naive-server.ts";
import { type AdministratorSeen, isAdministrators, isCrowd, type Seen, unbanned } from "./naive-sparing.ts";
import type { Refusal } from "./scenario.ts";

/** The oracle: it keeps every event and recounts all each time. Slow and obvious. The engine must decide alike. */
export class NaiveHistory {
  readonly #policy: Policy;
  readonly #own: readonly OwnNetwork[];
  readonly #kept: Kept[] = [];
  readonly #credits: Credited[] = [];
  readonly #refused: Refused[] = [];
  #administrators: AdministratorSeen[] = [];
  #unanswered: readonly Unanswered[] = [];
  /** What only the memory of the engine knows is counted from here. */
  #startedAfter = 0;

  constructor(policy: Policy, own: readonly OwnNetwork[]) {
    this.#policy = policy;
    this.#own = own;
  }

  /** The engine starts again: what only its memory knew is forgotten. */
  restart(): void {
    this.#startedAfter = this.#kept.length;
    this.#administrators = [];
    this.#unanswered = [];
  }

  administratorAt(ip: Ip, at: Millis): void {
    this.#administrators.push({ ip, at });
  }
  credit(credited: Credited): void {
    this.#credits.push(credited);
  }

  refuse(refusal: Refusal): void {
    const { windowMs } = this.#policy.sending.refused;
    this.#refused.push(...refusedOf(this.#kept.slice(this.#startedAfter), this.#refused, refusal, windowMs));
  }

  decide(event: Event, at: Millis): Decision {
    if (event.type !== "BAN_EXPIRED") this.#expire(at);
    const subject = "prefix" in event ? event.prefix : this.#subject(event.ip);
    const known = { at, event, subject, sending: sendingFactsOf(this.#kept, this.#given, event, subject) };
    const decision = "prefix" in event ? this.#decideCommand(event, at) : this.#decideClient(event, at);
    this.#kept.push({ ...known, decision, changes: decision.changes });
    return decision;
  }

  #decideCommand(event: NetworkEvent, at: Millis): Decision {
    const facts = {
      sparing: () => ({ ...UNSPARED, protection: this.#whyNot(event.prefix, this.#seen(), at) }),
      ban: bansIn(this.#changes()).find((ban) => ban.prefix === event.prefix) ?? null,
      listed: listingsIn(this.#changes()).get(event.prefix) ?? null,
      covered: bansIn(this.#changes())
        .map((ban) => ban.prefix)
        .filter((prefix) => prefix === event.prefix || isWithin(prefix, event.prefix))
        .toSorted(),
    };
    return decideCommand(facts, event, at);
  }

  #decideClient(event: ClientEvent, at: Millis): Decision {
    const facts = this.#facts(event, at);
    // Nothing forbids a ban, and no network offends, as far as the core knows: both are worked out here.
    const due = decide(this.#policy, facts, event, at);
    const decided = this.#spared(due, event, at);
    this.#unanswered = unansweredAfter(this.#unanswered, event, decided, { ...facts, at });
    if ("withoutBan" in event && event.withoutBan) return decided;
    return { ...decided, changes: [...decided.changes, ...this.#ofNetwork(facts, decided, event, at)] };
  }

  #spared(due: Decision, event: ClientEvent, at: Millis): Decision {
    const toldOf = (prefix: Prefix): boolean => this.#wasTold(prefix, at);
    const ban = due.changes.find((change) => change.type === "BAN")?.ban;
    const why = ban === undefined ? null : this.#whyNot(ban.prefix, [...this.#seen(), { at, event }], at);
    if (why !== null) return unbanned(due, event, why, toldOf);
    const changes = due.changes.filter((change) => change.type !== "SPARE" || !toldOf(change.prefix));
    return { ...due, changes };
  }

  #ofNetwork(
    { ip, network, prefix: subject }: Facts,
    decided: Decision,
    event: ClientEvent,
    at: Millis,
  ): readonly Change[] {
    if (network === subject) return [];
    const brought = decided.changes.map((change) => ({ change, at }));
    const changes = [...this.#changes(), ...brought];
    const unforgiven = unforgivenIn(changes);
    const history = { changes, standing: bansIn(this.#changes()), unforgiven, credits: this.#credits };
    const due = banOfWhole(this.#policy, history, { ip, network, decided, now: at });
    if (due === null) return [];
    const home = signInsIn(this.#changes(), at - this.#policy.accounts.knownForMs).some(({ prefix }) =>
      overlaps(prefix, network),
    );
    const why =
      this.#whyNot(network, [...this.#seen(), { at, event }], at) ??
      (home ? "known_network" : due.spared ? "honest_network" : null);
    if (why === null) return [due.change];
    const { code } = due.change.ban;
    return this.#wasTold(network, at) ? [] : [{ type: "SPARE", prefix: network, ip, why, code }];
  }

  /** What forbids a ban of this network. */
  #whyNot(network: Prefix, seen: readonly Seen[], at: Millis): Protection | null {
    const listed = this.#protection(network);
    if (listed !== null) return listed;
    if (isAdministrators(network, this.#administrators, at)) return "admin_session";
    return isCrowd(network, seen, at) ? "all_clients" : null;
  }

  /** What clients did since the engine started. */
  #seen(): readonly Seen[] {
    return this.#kept.slice(this.#startedAfter).flatMap(({ event, at }) => ("ip" in event ? [{ at, event }] : []));
  }

  #wasTold(prefix: Prefix, at: Millis): boolean {
    return changesOf(this.#kept.slice(this.#startedAfter)).some(
      ({ change, at: told }) => change.type === "SPARE" && change.prefix === prefix && at - told < 600_000,
    );
  }

  #facts(event: ClientEvent, at: Millis): Facts {
    const { ip } = event;
    const subject = this.#subject(ip);
    const account = "account" in event ? event.account : null;
    const memory = at - this.#policy.bans.memoryMs;
    const since = this.#countedSince(subject);
    const network = neighbourhoodOf(ip, this.#policy.bans.ipv6Prefix);
    const sending = sendingFactsOf(this.#kept, this.#given, event, subject);
    return {
      prefix: subject,
      network,
      ip,
      protection: this.#protection(subject),
      known: this.#changes().some(
        ({ change, at: when }) => change.type === "KNOW" && change.prefix === subject && when > memory,
      ),
      ban: bansIn(this.#changes()).find((ban) => contains(ban.prefix, ip)) ?? null,
      offences: this.#offencesAt(subject).filter((when) => when > memory).length,
      connections: timesOf(since.filter((kept) => kept.event.type === "CONNECT")),
      mails: timesOf(since.filter((kept) => kept.event.type === "DATA" && kept.event.account === null)),
      probes: timesOf(since.filter(({ event: kept }) => kept.type === "RECIPIENT" && !isBounce(kept))),
      bounces: timesOf(since.filter(({ event: kept }) => kept.type === "RECIPIENT" && isBounce(kept))),
      bounce: event.type === "RECIPIENT" && isBounce(event) ? bounceOf(this.#changes(), event) : NO_BOUNCE,
      hasOtherExtension: false,
      isAnswer: false,
      isWanted: isWanted(this.#credits.filter(({ prefix }) => prefix === subject)),
      sparing: () => UNSPARED,
      neighbourhood: () => ({ ...QUIET, settledAt: at }),
      sessionMails: event.type === "DATA" ? sessionMails(this.#kept, event.session) : 0,
      sessionRecipients: 0,
      recipient: event.type === "RECIPIENT" && account === null ? recipientKind(event.recipient) : "exists",
      accountNetworks: [],
      priorReports:
        event.type === "JAIL_REPORTED" ? heardOf(this.#kept, { subject, report: event, now: at }) : NO_PRIOR_REPORTS,
      accountActive: true,
      ...loginFactsOf(this.#policy, this.#past, { event, subject, network }, at),
      senderHere: false,
      ...serverFactsOf(this.#kept, this.#given, { at, event, subject }),
      firstContact: event.type === "RECIPIENT" && account === null && isFirstContact(event),
      writtenTo: writtenToIn(this.#kept.slice(this.#startedAfter), event),
      failures: failuresOf(this.#kept, subject, since, at),
      sending,
    };
  }

  get #given() {
    return { from: this.#startedAfter, policy: this.#policy, refused: this.#refused };
  }

  /** Counts since the last ban on the subject started or was lifted. */
  #countedSince(subject: Prefix): readonly Kept[] {
    const last = this.#kept.findLastIndex(({ changes }) =>
      changes.some((change) => bannedOrLifted(change) === subject),
    );
    return this.#kept
      .slice(last + 1)
      .filter((kept) => kept.decision.counted && "ip" in kept.event && kept.subject === subject);
  }

  #expire(at: Millis): void {
    for (const { prefix, expiresAt } of bansIn(this.#changes()))
      if (expiresAt !== null && expiresAt <= at) this.decide({ type: "BAN_EXPIRED", prefix }, at);
  }

  get #past() {
    return { changes: this.#changes(), unanswered: this.#unanswered };
  }

  #changes(): readonly Changed[] {
    return changesOf(this.#kept);
  }

  /** Bans by the engine itself, but for those that the administrator lifted. */
  #offencesAt(subject: Prefix): readonly Millis[] {
    return unforgivenIn(this.#changes()).flatMap(({ prefix, createdAt }) => (prefix === subject ? [createdAt] : []));
  }

  #protection(network: Prefix): Protection | null {
    const own = this.#own.find(({ prefix }) => overlaps(prefix, network));
    if (own !== undefined) return own.why;
    const allowed = [...this.#policy.allow, ...listingsIn(this.#changes()).keys()].some((prefix) =>
      overlaps(prefix, network),
    );
    return allowed ? "allow_listed" : null;
  }

  #subject(ip: Ip): Prefix {
    const network = prefixOf(ip, this.#policy.bans.ipv6Prefix);
    return this.#protection(network) === null ? network : prefixOf(ip, 128);
  }
}
