import { randomInt } from "node:crypto";
import { BoundedMap } from "../../core/bounded-map.ts";
import type { Listing } from "../../core/events/mail.ts";
import { type Ip, isV4 } from "../../core/net/ip.ts";
import { later, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { BlockLists, NameAnswer, Names } from "../network-ports.ts";
import type { Clock, Notices } from "../ports.ts";
import { listQuery, publicZone, readListAnswer, testPoints } from "./dnsbl.ts";
import { within } from "./submit-after-lookups.ts";

/** The result of a list's test points. `silent`: an answer is missing. */
export type Probe =
  | Readonly<{ type: "right"; ipv6: boolean }>
  | Readonly<{ type: "wrong"; why: string }>
  | Readonly<{ type: "silent"; why: string }>;

/** This many missing answers among the last ones disable a list. */
const SILENT = { most: 3, among: 10 } as const;
/** A check without an answer is repeated this soon, until the list is disabled: at the start our own resolver may not be up yet. */
const FIRST_RETRY_MS = SECOND_MS;
/** Maximum time between checks of a disabled list. */
const LONGEST_MS = 60 * MINUTE_MS;

/**
 * Whether a list can be trusted: from the time its test points were right until they are wrong, the list says that it does
 * not serve us, or too many answers are missing. Then it is checked again, each time after twice as long.
 */
export class ListHealth {
  readonly #everyMs: number;
  /** Null: not disabled. */
  #why: string | null = null;
  #trusted = false;
  #ipv6 = false;
  #asideTimes = 0;
  #recent: boolean[] = [];
  #probeAt = 0;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Whether it may be asked about an address of this family. */
  serves(family: 4 | 6): boolean {
    return this.#trusted && (family === 4 || this.#ipv6);
  }

  /** Why it is disabled; null if it is not. */
  get why(): string | null {
    return this.#why;
  }

  isDue(now: Millis): boolean {
    return now >= this.#probeAt;
  }

  /** A check is running, so that no other starts. */
  probing(now: Millis): void {
    this.#probeAt = now + this.#everyMs;
  }

  probed(probe: Probe, now: Millis): void {
    switch (probe.type) {
      case "right":
        this.#trusted = true;
        this.#ipv6 = probe.ipv6;
        this.#why = null;
        this.#asideTimes = 0;
        this.#recent = [];
        this.#probeAt = now + this.#everyMs;
        return;
      case "wrong":
        this.setAside(probe.why, now);
        return;
      case "silent":
        if (this.#why !== null) this.setAside(probe.why, now);
        else this.answered(probe.why, now);
        if (this.#why === null) this.#probeAt = now + Math.min(FIRST_RETRY_MS, this.#everyMs);
    }
  }

  /** Call it for each answered question (null), or with the reason of a failure. */
  answered(missing: string | null, now: Millis): void {
    if (this.#why !== null) return;
    this.#recent.push(missing === null);
    if (this.#recent.length > SILENT.among) this.#recent.shift();
    if (missing !== null && this.#recent.filter((one) => !one).length >= SILENT.most) this.setAside(missing, now);
  }

  /** Disables the list from now on. */
  setAside(why: string, now: Millis): void {
    this.#trusted = false;
    this.#why = why;
    const waitMs = (this.#everyMs / 10) * 2 ** this.#asideTimes;
    this.#probeAt = now + Math.min(waitMs, Math.max(LONGEST_MS, this.#everyMs));
    this.#asideTimes += 1;
  }
}

export const LIST_LIMITS = {
  /** Maximum wait of a mail for all lists together, counted from the first question about its client. */
  deadlineMs: 900,
  /** Maximum addresses whose answers are kept. */
  kept: 4_096,
  /** Maximum addresses asked about at the same time. Further ones pass without a question. */
  inFlight: 200,
  /** How long an answer is kept. A listing is kept for the list's TTL, up to this time. */
  listedMs: 5 * MINUTE_MS,
  otherMs: MINUTE_MS,
} as const;

type BlockListParts = Readonly<{ names: Names; clock: Clock; notices: Notices }>;
export type ListSettings = Readonly<{ zones: readonly string[]; checkEveryMs: number }>;

type List = Readonly<{ zone: string; health: ListHealth }>;
/** The answer about an address. `until`: null while the question is open. */
type Held = { answer: Promise<Listing | null>; until: Millis | null };

const NOT_LISTED: Promise<null> = Promise.resolve(null);

/**
 * Asks DNS block lists. A list counts only while its test points are right. If anything fails, no client is refused because of
 * it, and none waits longer than the deadline.
 */
export class DnsBlockLists implements BlockLists {
  readonly #parts: BlockListParts;
  readonly #held = new BoundedMap<Ip, Held>(LIST_LIMITS.kept);
  #lists: readonly List[] = [];
  #asking = 0;

  constructor(parts: BlockListParts, settings: ListSettings) {
    this.#parts = parts;
    this.configure(settings);
  }

  /** Replaces the lists. Each is trusted once its test points were right. */
  configure({ zones, checkEveryMs }: ListSettings): void {
    this.#held.clear();
    this.#lists = zones.map((zone) => ({ zone, health: new ListHealth(checkEveryMs) }));
    this.#report();
  }

  ask(ip: Ip): Promise<Listing | null> {
    const now = this.#parts.clock.now();
    const held = this.#held.get(ip);
    if (held !== undefined && (held.until === null || now < held.until)) return held.answer;
    const family = isV4(ip) ? 4 : 6;
    const lists = this.#lists.filter(({ health }) => health.serves(family));
    if (lists.length === 0 || this.#asking >= LIST_LIMITS.inFlight) return NOT_LISTED;
    return this.#hold(ip, lists);
  }

  /** Queries the test points of the lists that need a check. */
  async probeDue(): Promise<void> {
    const now = this.#parts.clock.now();
    await Promise.all(this.#lists.filter(({ health }) => health.isDue(now)).map((list) => this.#probe(list)));
  }

  #hold(ip: Ip, lists: readonly List[]): Promise<Listing | null> {
    const { clock } = this.#parts;
    let listedMs = 0;
    const asked = firstListing(
      lists.map(async (list) => {
        const found = await this.#askOne(ip, list);
        if (found === null) return null;
        listedMs = Math.min(found.ttlMs, LIST_LIMITS.listedMs);
        return found.listing;
      }),
    );
    const held: Held = { answer: within(asked, LIST_LIMITS.deadlineMs, null), until: null };
    this.#asking += 1;
    // An answer that is too late for this mail is used for the next one.
    void asked.then((listing) => {
      this.#asking -= 1;
      held.answer = listing === null ? NOT_LISTED : Promise.resolve(listing);
      held.until = later(clock.now(), listing === null ? LIST_LIMITS.otherMs : Math.max(listedMs, SECOND_MS));
    });
    this.#held.set(ip, held);
    return held.answer;
  }

  async #askOne(ip: Ip, list: List): Promise<Readonly<{ listing: Listing; ttlMs: number }> | null> {
    const answer = await this.#parts.names.addresses(listQuery(ip, list.zone));
    this.#note(list, answer);
    if (answer.type !== "addresses") return null;
    const read = readListAnswer(list.zone, answer.addresses);
    if (read.type === "refused") this.#setAside(list, `it answers ${read.why}`);
    if (read.type !== "listed" || !(await this.#denies(list))) return null;
    return { listing: { zone: publicZone(list.zone), meaning: read.meaning }, ttlMs: answer.ttlMs };
  }

  /** A list that broke since its last check may list every address. It must still deny an unused address. */
  async #denies(list: List): Promise<boolean> {
    // A different address each time; otherwise a cache would answer.
    const nobody = Array.from({ length: 3 }, () => randomInt(16, 255)).join(".");
    const answer = await this.#parts.names.addresses(`${nobody}.127.${list.zone}`);
    this.#note(list, answer);
    if (answer.type === "addresses") this.#setAside(list, "it lists addresses that do not exist");
    return answer.type === "none";
  }

  async #probe(list: List): Promise<void> {
    const { clock, names } = this.#parts;
    list.health.probing(clock.now());
    const ask = async (family: 4 | 6): Promise<readonly [NameAnswer, NameAnswer]> => {
      const { listed, notListed } = testPoints(list.zone, family);
      return Promise.all([names.addresses(listed), names.addresses(notListed)]);
    };
    const [four, six] = await Promise.all([ask(4), ask(6)]);
    const wasAside = list.health.why !== null;
    list.health.probed(judge(list.zone, four, six), clock.now());
    // Clients in between were decided without this list.
    if (wasAside && list.health.why === null) this.#held.clear();
    this.#report();
  }

  #note(list: List, answer: NameAnswer): void {
    list.health.answered(
      answer.type === "failed" ? `it does not answer (${answer.why})` : null,
      this.#parts.clock.now(),
    );
    if (list.health.why !== null) this.#report();
  }

  #setAside(list: List, why: string): void {
    // A concurrent question has already logged it.
    if (list.health.why !== null) return;
    list.health.setAside(why, this.#parts.clock.now());
    // Its other answers may have been wrong as well.
    this.#held.clear();
    this.#report();
  }

  #report(): void {
    const aside = this.#lists.flatMap(({ zone, health }) =>
      health.why === null ? [] : [`${publicZone(zone)}: ${health.why}`],
    );
    if (aside.length === 0) this.#parts.notices.clear("dnsbl_set_aside");
    else this.#parts.notices.raise("dnsbl_set_aside", aside.join("; "));
  }
}

type Answers = readonly [listed: NameAnswer, notListed: NameAnswer];

/** RFC 5782, section 5. A list without an entry for the IPv6 test point lists no IPv6 addresses. */
function judge(zone: string, [listed, notListed]: Answers, [listed6, notListed6]: Answers): Probe {
  for (const answer of [listed, notListed, listed6, notListed6]) {
    const read = answer.type === "addresses" ? readListAnswer(zone, answer.addresses) : null;
    if (read?.type === "refused") return { type: "wrong", why: `it answers ${read.why}` };
  }
  if (notListed.type === "addresses" || notListed6.type === "addresses")
    return { type: "wrong", why: "it lists a test address that no list may name" };
  for (const answer of [listed, notListed])
    if (answer.type === "failed") return { type: "silent", why: `it does not answer (${answer.why})` };
  if (!isListing(zone, listed)) return { type: "wrong", why: "it does not list the test address 127.0.0.2" };
  return { type: "right", ipv6: isListing(zone, listed6) && notListed6.type === "none" };
}

function isListing(zone: string, answer: NameAnswer): boolean {
  return answer.type === "addresses" && readListAnswer(zone, answer.addresses).type === "listed";
}

/** The first answer that is not null; null if all are. None of them rejects. */
function firstListing(answers: readonly Promise<Listing | null>[]): Promise<Listing | null> {
  return new Promise((resolve) => {
    for (const answer of answers) void answer.then((listing) => listing !== null && resolve(listing));
    void Promise.all(answers).then(() => resolve(null));
  });
}
