import * as fc from "fast-check";
import type { Credit } from "../../src/core/decide/honest-mail.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { Event } from "../../src/core/events/event.ts";
import type { Ip } from "../../src/core/net/ip.ts";
import { ip, net } from "../kit/samples.ts";
import { SMALL_POLICY } from "./small-policy.ts";

/** Random histories for the engine and its oracle. */

export const POLICY: Policy = {
  ...SMALL_POLICY,
  // The last limit is never reached. It keeps this many events of an address that is never banned.
  mail: [...SMALL_POLICY.mail, { key: "limits.mail.per_day", count: 200, windowMs: 8_000 }],
  // A restart forgets sessions, which have their own tests.
  perSession: 1_000_000,
  recipientsPerMail: 1_000_000,
  // A restart forgets pending logins, which have their own tests.
  accounts: { ...SMALL_POLICY.accounts, failures: 6 },
  networks: { ...SMALL_POLICY.networks, failures: 6, windowMs: 1_000 },
};
const NOBODIES = Array.from({ length: 5 }, () => "nobody@example.test");

/** Addresses, the logins that they use, and how many of 25 events are successful sign-ins. */
type World = Readonly<{ ips: readonly string[]; logins: readonly string[]; signIns: number; policy: Policy }>;
const UNGUARDED: Policy = { ...POLICY, accounts: { ...POLICY.accounts, failures: 1_000_000 } };
/** A few offences get a network banned. */
const STRICT: Policy = {
  ...UNGUARDED,
  networks: { ...POLICY.networks, failures: 3 },
  bans: { ...POLICY.bans, neighbours: 1 },
};
/** Networks that only sign-ins, administrators and honest mail protect. */
const UNPROTECTED: World = {
  ips: [...Array.from({ length: 6 }, (_, n) => `192.0.2.${n + 1}`), "2001:db8:2:1::1", "2001:db8:2:2::1"],
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
  .map(net);
const account = fc.constantFrom(null, null, "anna@example.test");
const clientName = fc.constantFrom(null, null, null, "mx.google.com");
const session = fc.constantFrom("1", "2");
const mailFacts = { session, clientName, account, service: fc.constant("smtp" as const) };
const texts = {
  helo: fc.constant("h"),
  sender: fc.constantFrom("", "a@b.test", "a@b.test", "a@b.test", "anna@example.test"),
};
const recipient = fc.constantFrom(null, "anna@example.test", ...NOBODIES, "admin@example.test");
/** Each mail has one recipient, because a restart forgets what a connection did before. */
const rest = { recipient, queueId: fc.constant(""), transaction: fc.uuid() };
const by = fc.constant("root");

function often<T extends Event["type"], F>(weight: number, type: T, fields: { [K in keyof F]: fc.Arbitrary<F[K]> }) {
  return { weight, arbitrary: fc.record(fields).map((known) => ({ type, ...known })) };
}

function eventOf({ ips, logins, signIns }: World): fc.Arbitrary<Event> {
  const from = fc.constantFrom(...ips).map(ip);
  const login = {
    ip: from,
    service: fc.constant("imap" as const),
    login: fc.constantFrom(...logins),
    passwordHash: fc.constantFrom("", "1", "2", "3", "4"),
  };
  const note = fc.constant("n");
  const mail = { ip: from, ...mailFacts, ...texts, ...rest };
  return fc.oneof<fc.WeightedArbitrary<Event>[]>(
    often(25, "CONNECT", { ip: from, session, clientName, service: mailFacts.service }),
    often(25, "DATA", { ...mail, recipientCount: fc.nat(3) }),
    often(30, "RECIPIENT", {
      ...mail,
      account: fc.constantFrom(null, null, null, null, null, "anna@example.test"),
      senderExists: fc.constantFrom(null, true, true, true, true, false),
      blockListing: fc.constantFrom(null, null, null, null, null, { zone: "bl.test", meaning: "127.0.0.2, listed" }),
    }),
    often(25, "LOGIN_FAILED", login),
    often(1, "LOGIN_ASKED", login),
    often(signIns, "LOGIN_SUCCEEDED", login),
    often(1, "BAN_ASKED", { prefix, note, durationMs: fc.constantFrom(null, 20, 20, 20, 100), by }),
    often(1, "UNBAN_ASKED", { prefix, by }),
    often(1, "ALLOW_ASKED", { prefix, note, durationMs: fc.constantFrom(null, 50), by }),
    often(1, "ALLOW_EXPIRED", { prefix }),
    often(1, "DISALLOW_ASKED", { prefix, by }),
  );
}

/** Changes other than events: an administrator is at work, or a mail gives a server credit. */
export type Aside = Readonly<{ type: "administrator"; ip: Ip }> | Readonly<{ type: "credit"; ip: Ip; mail: Credit }>;
/** `times`: repetitions at the same instant, as in a flood. */
type Step = Readonly<{ afterMs: number; times: number; what: Event | Aside }>;

export function stepOf(world: World): fc.Arbitrary<Step> {
  const from = fc.constantFrom(...world.ips).map(ip);
  const aside: fc.Arbitrary<Aside> = fc.oneof(
    { weight: 1, arbitrary: fc.record({ type: fc.constant("administrator" as const), ip: from }) },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant("credit" as const),
        ip: from,
        mail: fc.constantFrom<Credit>("accepted", "proven", "wanted", "wanted", "written"),
      }),
    },
  );
  return fc.record({
    afterMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 20, 50, 50, 50, 100, 999, 1_000),
    times: fc.constantFrom(1, 1, 1, 1, 1, 1, 5),
    what: fc.oneof<[fc.WeightedArbitrary<Event>, fc.WeightedArbitrary<Aside>]>(
      { weight: 25, arbitrary: eventOf(world) },
      { weight: 1, arbitrary: aside },
    ),
  });
}
