import * as fc from "fast-check";
import type { Event } from "../../src/core/events/event.ts";
import type { Ip } from "../../src/core/net/ip.ts";
import { instant } from "../../src/core/time.ts";
import { net, ip as parsed } from "../kit/samples.ts";
import { START } from "../scenarios/scenario.ts";

export const ip = fc
  .constantFrom(
    "198.51.100.7",
    "198.51.100.8",
    "198.51.100.9",
    "198.51.100.10",
    "203.0.113.1",
    "10.0.0.5",
    "2001:db8:1::1",
    "2001:db8:1::2",
    "2001:db8:1:1::1",
  )
  .map(parsed);
const prefix = fc.constantFrom("198.51.100.7/32", "198.51.100.8/32", "198.51.100.0/24", "2001:db8:1::/64").map(net);
const signIn = {
  ip,
  service: fc.constantFrom("imap" as const, "dashboard" as const),
  login: fc.constantFrom("anna@example.test", "Bert@example.test"),
  passwordHash: fc.constantFrom("", "right", "1", "2", "3", "4", "5"),
};

/** A client's actions, in steps that other clients' steps may interleave. */
type Step = Event | "restart" | Readonly<{ administrator: Ip }>;

/** A connection with mails. Reports each recipient and the end of each mail as Postfix does. */
const connection: fc.Arbitrary<readonly Step[]> = fc
  .record({
    ip,
    session: fc.constantFrom("1", "2", "3"),
    clientName: fc.constantFrom(null, null, null, "mx.google.com"),
    account: fc.constantFrom(null, null, "anna@example.test"),
    sender: fc.constantFrom("", "a@b.test", "anna@example.test", "x@[203.0.113.1]"),
    recipients: fc.array(
      fc.constantFrom("anna@example.test", "nobody@example.test", "admin@example.test", "x@b.test"),
      { maxLength: 3 },
    ),
    mails: fc.nat(3),
    transaction: fc.uuid(),
    senderExists: fc.constantFrom(null, true, true, false),
    blockListing: fc.constantFrom(null, null, null, { zone: "bl.test", meaning: "127.0.0.2, listed" }),
  })
  .map(({ recipients, mails, transaction, senderExists, blockListing, ...client }) => {
    const { ip: from, session, clientName } = client;
    const about = { ...client, service: "smtp" as const, helo: "h", queueId: "" };
    const connect: Event = { type: "CONNECT", ip: from, session, clientName, service: "smtp" };
    const mail = Array.from({ length: mails }, (_, n): readonly Event[] => {
      const one = { ...about, transaction: `${transaction}.${n}` };
      const [only = null, ...others] = recipients;
      const recipient = others.length === 0 ? only : null;
      const recipientCount = recipients.length;
      return [
        ...recipients.map((to): Event => ({ type: "RECIPIENT", ...one, recipient: to, senderExists, blockListing })),
        { type: "DATA", ...one, recipient, recipientCount },
        { type: "END_OF_MESSAGE", ...one, recipient, recipientCount, sizeBytes: 7 },
      ];
    });
    return [connect, ...mail.flat()];
  });
/**
 * The report comes some steps after the question, or never. Questions without a report have their own passwords, because a replay
 * doesn't see them and might count the same password for a different network than the guard did (`countGuesses`).
 */
const login: fc.Arbitrary<readonly Step[]> = fc
  .record({
    isAsked: fc.constantFrom(true, true, true, false),
    isReported: fc.constantFrom(true, true, true, false),
    unanswered: fc.uuid(),
    ...signIn,
  })
  .map(({ isAsked, isReported, unanswered, ...facts }) => {
    const type = facts.passwordHash === "right" ? "LOGIN_SUCCEEDED" : "LOGIN_FAILED";
    const asked: Event = { type: "LOGIN_ASKED", ...facts, ...(!isReported && { passwordHash: unanswered }) };
    return [...(isAsked ? [asked] : []), ...(isReported ? [{ type, ...facts } as const] : [])];
  });
const report: fc.Arbitrary<readonly Step[]> = fc
  .record({
    ip,
    jail: fc.constantFrom("dovecot", "postfix", "own"),
    failures: fc.integer({ min: 3, max: 6 }),
    ago: fc.nat(3_000),
  })
  .map(({ failures, ago, ...about }) => [
    {
      type: "JAIL_REPORTED",
      ...about,
      failures,
      limit: 3,
      windowMs: 5_000,
      banMs: 300,
      clientName: null,
      lastAt: instant(START + ago),
      lines: Array.from({ length: failures }, (_, i) => ({
        text: `line ${i}`,
        at: instant(START + ago),
        about: (["login", "refusal", "log"] as const)[i % 3] ?? "log",
      })),
    },
  ]);
const root = "root";
const command: fc.Arbitrary<readonly Step[]> = fc
  .record({ prefix, type: fc.nat(4), durationMs: fc.constantFrom(null, 50, 200) })
  .map(({ prefix: network, type, durationMs }): readonly Step[] => {
    const note = "n";
    const commands: readonly Event[] = [
      { type: "BAN_ASKED", prefix: network, note, durationMs: durationMs ?? 20, by: root },
      { type: "UNBAN_ASKED", prefix: network, by: root },
      { type: "ALLOW_ASKED", prefix: network, note, durationMs, by: root },
      { type: "ALLOW_EXPIRED", prefix: network },
      { type: "DISALLOW_ASKED", prefix: network, by: root },
    ];
    return commands.slice(type, type + 1);
  });
const client = fc.oneof(
  { weight: 10, arbitrary: connection },
  { weight: 20, arbitrary: login },
  { weight: 2, arbitrary: report },
  { weight: 1, arbitrary: command },
  { weight: 1, arbitrary: fc.constant<readonly Step[]>(["restart"]) },
  { weight: 1, arbitrary: ip.map((administrator): readonly Step[] => [{ administrator }]) },
);
export const clients = fc.array(
  fc.record({ steps: client, from: fc.nat(60), gap: fc.nat(3), afterMs: fc.constantFrom(0, 0, 0, 1, 5, 50, 999) }),
  { minLength: 40, maxLength: 80, size: "max" },
);

type Client = Readonly<{ steps: readonly Step[]; from: number; gap: number; afterMs: number }>;

/** The interleaved steps of all clients. */
export function mixed(all: readonly Client[]): readonly Readonly<{ step: Step; afterMs: number }>[] {
  return all
    .flatMap(({ steps, from, gap, afterMs }, n) =>
      steps.map((step, i) => ({ step, afterMs: i === 0 ? afterMs : 0, turn: n * 2 + from / 6 + i * gap })),
    )
    .toSorted((a, b) => a.turn - b.turn);
}
