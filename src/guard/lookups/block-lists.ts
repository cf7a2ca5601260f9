import { randomInt } from "node:crypto";
import { BoundedMap } from "../../core/bounded-map.ts";
import { type Listing, publicZone } from "../../core/events/mail.ts";
import { type Ip, isV4 } from "../../core/net/ip.ts";
import { later, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { NameAnswer, Names } from "../network-ports.ts";
import type { Clock, Notices } from "../ports.ts";
import { listQuery, readListAnswer, testPoints } from "./dnsbl.ts";
import { withDeadline } from "./limited-lookups.ts";
import { ListHealth, type Probe } from "./list-health.ts";

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
type CachedAnswer = { answer: Promise<Listing | null>; until: Millis | null };

const NOT_LISTED: Promise<null> = Promise.resolve(null);

/**
 * Asks DNS block lists. A list counts only while its test points are right. If anything fails, no client is refused because of
 * it, and none waits longer than the deadline.
 */
export function createBlockLists({ names, clock, notices }: BlockListParts, settings: ListSettings) {
  const cache = new BoundedMap<Ip, CachedAnswer>(LIST_LIMITS.kept);
  let lists: readonly List[] = [];
  let asking = 0;
  const report = (): void => {
    const disabled = lists.flatMap(({ zone, health }) =>
      health.why === null ? [] : [`${publicZone(zone)}: ${health.why}`],
    );
    notices.set("dnsbl_set_aside", disabled.length === 0 ? null : disabled.join("; "));
  };
  const note = ({ health }: List, answer: NameAnswer): void => {
    health.answered(answer.type === "failed" ? `it does not answer (${answer.why})` : null, clock.now());
    if (health.why !== null) report();
  };
  const disable = ({ health }: List, why: string): void => {
    // A concurrent question has already disabled the list.
    if (health.why !== null) return;
    health.disable(why, clock.now());
    // Its other answers may have been wrong as well.
    cache.clear();
    report();
  };
  /** A list that broke since its last check may list every address. It must still deny an unused address. */
  const denies = async (list: List): Promise<boolean> => {
    // A different address each time; otherwise a cache would answer.
    const unused = Array.from({ length: 3 }, () => randomInt(16, 255)).join(".");
    const answer = await names.v4Addresses(`${unused}.127.${list.zone}`);
    note(list, answer);
    if (answer.type === "addresses") disable(list, "it lists addresses that do not exist");
    return answer.type === "none";
  };
  const askOne = async (ip: Ip, list: List): Promise<Readonly<{ listing: Listing; ttlMs: number }> | null> => {
    const answer = await names.v4Addresses(listQuery(ip, list.zone));
    note(list, answer);
    if (answer.type !== "addresses") return null;
    const read = readListAnswer(list.zone, answer.addresses);
    if (read.type === "refused") disable(list, `it answers ${read.why}`);
    if (read.type !== "listed" || !(await denies(list))) return null;
    return { listing: { zone: publicZone(list.zone), meaning: read.meaning }, ttlMs: answer.ttlMs };
  };
  const lookUp = (ip: Ip, serving: readonly List[]): Promise<Listing | null> => {
    const asked = firstFound(serving.map((list) => askOne(ip, list)));
    const listing = asked.then((found) => found?.listing ?? null);
    const one: CachedAnswer = { answer: withDeadline(listing, LIST_LIMITS.deadlineMs, null), until: null };
    asking += 1;
    // An answer that is too late for this mail is used for the next one.
    void asked.then((found) => {
      asking -= 1;
      one.answer = found === null ? NOT_LISTED : listing;
      const listedMs = Math.max(Math.min(found?.ttlMs ?? 0, LIST_LIMITS.listedMs), SECOND_MS);
      one.until = later(clock.now(), found === null ? LIST_LIMITS.otherMs : listedMs);
    });
    cache.set(ip, one);
    return one.answer;
  };
  const probe = async ({ zone, health }: List): Promise<void> => {
    health.probing(clock.now());
    const ask = (family: 4 | 6): Promise<Answers> => {
      const { listed, notListed } = testPoints(zone, family);
      return Promise.all([names.v4Addresses(listed), names.v4Addresses(notListed)]);
    };
    const [four, six] = await Promise.all([ask(4), ask(6)]);
    const wasDisabled = health.why !== null;
    health.probed(judge(zone, four, six), clock.now());
    // Answers kept from before were decided without this list.
    if (wasDisabled && health.why === null) cache.clear();
    report();
  };
  /** Replaces the lists. Each is trusted once its test points were right. */
  const configure = ({ zones, checkEveryMs }: ListSettings): void => {
    cache.clear();
    lists = zones.map((zone) => ({ zone, health: new ListHealth(checkEveryMs) }));
    report();
  };
  configure(settings);
  return {
    configure,
    ask: (ip: Ip): Promise<Listing | null> => {
      const now = clock.now();
      const known = cache.get(ip);
      if (known !== undefined && (known.until === null || now < known.until)) return known.answer;
      const family = isV4(ip) ? 4 : 6;
      const serving = lists.filter(({ health }) => health.serves(family));
      return serving.length === 0 || asking >= LIST_LIMITS.inFlight ? NOT_LISTED : lookUp(ip, serving);
    },
    /** Queries the test points of the lists that need a check. */
    probeDue: async (): Promise<void> => {
      const now = clock.now();
      await Promise.all(lists.filter(({ health }) => health.isDue(now)).map(probe));
    },
  };
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
function firstFound<T>(answers: readonly Promise<T | null>[]): Promise<T | null> {
  return new Promise((resolve) => {
    for (const answer of answers) void answer.then((found) => found !== null && resolve(found));
    void Promise.all(answers).then(() => resolve(null));
  });
}
