import * as fc from "fast-check";
import type { Credit } from "../../src/core/decide/honest-mail.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { Event } from "../../src/core/events/event.ts";
import { type Ip, parseIp, parsePrefix } from "../../src/core/net/ip.ts";
import { must, SMALL_POLICY } from "./small-policy.ts";

/** Random histories for the engine and its oracle. */

export const POLICY: Policy = {
  ...SMALL_POLICY,
  // The last one is never reached: it keeps this many events of an address that is never banned.
  mail: [...SMALL_POLICY.mail, { key: "limits.mail.per_day", count: 200, windowMs: 8_000 }],
  // A restart forgets sessions, which have their own tests.
  perSession: 1_000_000,
  // A restart forgets pending logins, which have their own tests.
  accounts: { ...SMALL_POLICY.accounts, failures: 6 },
  networks: { ...SMALL_POLICY.networks, failures: 6, windowMs: 1_000 },
};
const NOBODIES = Array.from({ length: 5 }, () => "nobody@example.test");

/** Addresses, the logins that they use, and how many of 25 events are successful sign-ins. */
type World = Readonly<{ ips: readonly string[]; logins: readonly string[]; signIns: number; policy: Policy }>;
const UNGUARDED: Policy = { ...POLICY, accounts: { ...POLICY.accounts, failures: 1_000_000 } };
/** Little is needed to ban a network. */
const STRICT: Policy = {
  ...UNGUARDED,
  networks: { ...POLICY.networks, failures: 3 },
  bans: { ...POLICY.bans, neighbours: 1 },
};
/** Networks that only sign-ins, administrators and honest mail protect. */
const UNPROTECTED: World = {
  ips: [
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.3",
    "192.0.2.4",
    "192.0.2.5",
    "192.0.2.6",
    "2001:db8:2:1::1",
    "2001:db8:2:2::1",
  ],
  logins: ["anna@example.test", "bea@example.test"],
  signIns: 1,
  policy: UNGUARDED,
};
export const WORLDS: readonly World[] = [
  // Prefixes with protected neighbours, and one IPv6 network of several prefixes.
  {
    ips: [
      ...Array.from({ length: 3 }, () => "198.51.100.7"),
      "198.51.100.8",
      "198.51.100.9",
      "203.0.113.1",
      "203.0.113.1",
      "203.0.113.1",
      "2001:db8:1::1",
      "2001:db8:1::2",
      "2001:db8:1:7::1",
    ],
    logins: ["anna@example.test"],
    signIns: 1,
    policy: POLICY,
  },
  UNPROTECTED,
  { ...UNPROTECTED, policy: STRICT },
  // A proxy that hides nearly all clients.
  {
    ips: [...Array.from({ length: 30 }, () => "10.0.0.9"), "192.0.2.1"],
    logins: ["anna@example.test", "bea@example.test", "cid@example.test"],
    signIns: 25,
    policy: UNGUARDED,
  },
];

const prefix = fc
  .constantFrom(
    "198.51.100.7/32",
    "198.51.100.9/32",
    "203.0.113.1/32",
    "2001:db8:1::/64",
    "192.0.2.0/24",
    "192.0.2.3/32",
  )
  .map((text) => must(parsePrefix(text)));
const account = fc.constantFrom(null, null, "anna@example.test");
const clientName = fc.constantFrom(null, null, null, "mx.google.com");
const session = fc.constantFrom("1", "2");
const mailFacts = { session, clientName, account, service: fc.constant("smtp" as const) };
const texts = {
  helo: fc.constant("h"),
  sender: fc.constantFrom("", "a@b.test", "a@b.test", "a@b.test", "anna@example.test"),
};
const recipient = fc.constantFrom(null, "anna@example.test", ...NOBODIES, "admin@example.test");
/** Each mail names one recipient: what a connection did before is forgotten at a restart. */
const rest = { recipient, queueId: fc.constant(""), transaction: fc.uuid() };
const by = fc.constant("root");
function eventOf({ ips, logins, signIns }: World): fc.Arbitrary<Event> {
  const ip = fc.constantFrom(...ips).map((text) => must(parseIp(text)));
  const login = {
    ip,
    service: fc.constant("imap" as const),
    login: fc.constantFrom(...logins),
    passwordHash: fc.constantFrom("", "1", "2", "3", "4"),
  };
  return fc.oneof(
    {
      weight: 25,
      arbitrary: fc.record({
        type: fc.constant("CONNECT" as const),
        ip,
        session,
        clientName,
        service: mailFacts.service,
      }),
    },
    {
      weight: 25,
      arbitrary: fc.record({
        type: fc.constant("DATA" as const),
        ip,
        ...mailFacts,
        ...texts,
        ...rest,
        recipientCount: fc.nat(3),
      }),
    },
    {
      weight: 30,
      arbitrary: fc.record({
        type: fc.constant("RECIPIENT" as const),
        senderExists: fc.constantFrom(null, true, true, true, true, false),
        listed: fc.constantFrom(null, null, null, null, null, { zone: "bl.test", meaning: "127.0.0.2, listed" }),
        ip,
        ...mailFacts,
        account: fc.constantFrom(null, null, null, null, null, "anna@example.test"),
        ...texts,
        ...rest,
      }),
    },
    { weight: 25, arbitrary: fc.record({ type: fc.constant("LOGIN_FAILED" as const), ...login }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("LOGIN_ASKED" as const), ...login }) },
    { weight: signIns, arbitrary: fc.record({ type: fc.constant("LOGIN_SUCCEEDED" as const), ...login }) },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("BAN_ASKED" as const),
        prefix,
        note: fc.constant("n"),
        durationMs: fc.constantFrom(null, 20, 20, 20, 100),
        by,
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("UNBAN_ASKED" as const), prefix, by }) },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("ALLOW_ASKED" as const),
        prefix,
        note: fc.constant("n"),
        durationMs: fc.constantFrom(null, 50),
        by,
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("ALLOW_EXPIRED" as const), prefix }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("DISALLOW_ASKED" as const), prefix, by }) },
  );
}

/** Changes beside the events: an administrator is at work, or a mail gives a server credit. */
export type Aside = Readonly<{ type: "administrator"; ip: Ip }> | Readonly<{ type: "credit"; ip: Ip; mail: Credit }>;
/** `times`: all at once, as floods are. */
type Step = Readonly<{ afterMs: number; times: number; what: Event | Aside }>;

export function stepOf(world: World): fc.Arbitrary<Step> {
  const ip = fc.constantFrom(...world.ips).map((text) => must(parseIp(text)));
  const aside: fc.Arbitrary<Aside> = fc.oneof(
    { weight: 1, arbitrary: fc.record({ type: fc.constant("administrator" as const), ip }) },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant("credit" as const),
        ip,
        mail: fc.constantFrom<Credit>("accepted", "proven", "wanted", "wanted", "written"),
      }),
    },
  );
  const often = 25;
  return fc.record({
    afterMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 20, 50, 50, 50, 100, 999, 1_000),
    times: fc.constantFrom(1, 1, 1, 1, 1, 1, 5),
    what: fc.oneof<[fc.WeightedArbitrary<Event>, fc.WeightedArbitrary<Aside>]>(
      { weight: often, arbitrary: eventOf(world) },
      { weight: 1, arbitrary: aside },
    ),
  });
}
