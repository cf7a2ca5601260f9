import type { Policy } from "../../src/core/decide/policy.ts";
import type { ClientEvent } from "../../src/core/events/event.ts";
import { isBounce, type Recipient } from "../../src/core/events/mail.ts";
import { contains, neighbourhoodOf, networkAddress, type Prefix } from "../../src/core/net/ip.ts";
import { HOUR_MS, type Millis } from "../../src/core/time.ts";
import { changesOf, type Kept, recipientKind } from "./naive-recount.ts";

type Asked = Pick<Kept, "at" | "subject" | "isWanted"> &
  Readonly<{ reason: string; event: Recipient; network: Prefix }>;

/** Reasons of answers to strangers about a known or unknown recipient. Refusals for other reasons said nothing about it. */
const ANSWERED = [
  "below_limit",
  "greylist_asked",
  "recipient_hidden",
  "recipients_deferred",
  "first_contacts_deferred",
  "recipient_unknown",
  "recipient_blocked",
  "recipient_probing",
  "provider_busy",
  "wanted_busy",
  "bounces_deferred",
];

const FIRST_CONTACTS = ["greylist_asked", "first_contacts_deferred"];

/** What strangers have done to the whole server since the engine started. */
export function serverFactsOf(
  all: readonly Kept[],
  { from, policy }: Readonly<{ from: number; policy: Policy }>,
  now: Readonly<{ at: Millis; event: ClientEvent; subject: Prefix }>,
) {
  const networkOf = ({ ip }: Pick<ClientEvent, "ip">): Prefix => neighbourhoodOf(ip, policy.bans.ipv6Prefix);
  const wasKnown = (one: Kept): boolean =>
    changesOf(all.slice(0, all.indexOf(one))).some(
      ({ change, at }) => change.type === "KNOW" && change.prefix === one.subject && at > one.at - policy.bans.memoryMs,
    );
  const asked = all.slice(from).flatMap((one): readonly Asked[] => {
    const { event, at, subject, isWanted, decision } = one;
    if (event.type !== "RECIPIENT" || event.account !== null) return [];
    return !ANSWERED.includes(decision.reason) || wasKnown(one)
      ? []
      : [{ at, event, subject, isWanted, network: networkOf(event), reason: decision.reason }];
  });
  const isUnknown = ({ event }: Asked): boolean => recipientKind(event.recipient) === "unknown";
  const ofBounces = now.event.type === "RECIPIENT" && isBounce(now.event);
  const probes = asked.filter(isUnknown);
  const alike = probes.filter(({ event }) => isBounce(event) === ofBounces);
  const firstContacts = asked.filter((one) => !isUnknown(one) && FIRST_CONTACTS.includes(one.reason) && !one.isWanted);
  const places = firstTimes(firstContacts, ({ subject }) => subject, now.at);
  const counted = countedOf(firstContacts, 5, ({ subject }) => subject);
  const nameOf = ({ network, event }: Asked): string => `${network} ${event.recipient}`;
  const countedNames = countedOf(alike, 10, nameOf);
  const isAsking = now.event.type === "RECIPIENT" && now.event.account === null;
  return {
    probesFromAnywhere: isAsking
      ? [...firstTimes(alike, nameOf, now.at)].flatMap(([name, at]) =>
          countedNames.has(`${name} ${at}`) || name.startsWith(`${networkOf(now.event)} `) ? [at] : [],
        )
      : [],
    namesProbed: firstTimes(
      probes.filter(({ network }) => network === networkOf(now.event)),
      ({ event }) => `${isBounce(event)} ${event.recipient}`,
      now.at,
    ).size,
    firstContactsFromAnywhere: [...places].flatMap(([place, at]) =>
      counted.has(`${place} ${at}`) || contains(networkOf(now.event), networkAddress(place)) ? [at] : [],
    ),
    isAmongFirstContacts: places.has(now.subject),
  };
}

/** What counts for clients in other networks, with its time, at most `most` for each network within an hour. */
function countedOf(asked: readonly Asked[], most: number, keyOf: (one: Asked) => string): ReadonlySet<string> {
  const counted: Asked[] = [];
  for (const [i, one] of asked.entries()) {
    if (firstTimes(asked.slice(0, i), keyOf, one.at).has(keyOf(one))) continue;
    const alike = counted.filter(({ network, at }) => network === one.network && at > one.at - HOUR_MS);
    if (alike.length < most) counted.push(one);
  }
  return new Set(counted.map((one) => `${keyOf(one)} ${one.at}`));
}

/** When each key first came within the hour. After an hour it counts as new again. */
function firstTimes<K extends string>(came: readonly Asked[], keyOf: (one: Asked) => K, now: Millis) {
  const first = new Map<K, Millis>();
  for (const one of came) {
    const { at } = one;
    const key = keyOf(one);
    const before = first.get(key);
    if (before !== undefined && before > at - HOUR_MS) continue;
    first.delete(key);
    first.set(key, at);
  }
  return new Map([...first].filter(([, at]) => at > now - HOUR_MS));
}
