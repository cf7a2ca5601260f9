import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { Event } from "../../src/core/events/event.ts";
import { parseIp, parsePrefix } from "../../src/core/net/ip.ts";
import { instant } from "../../src/core/time.ts";
import type { OwnNetwork } from "../../src/engine/ports.ts";
import { NaiveHistory } from "../scenarios/naive-history.ts";
import { RealEngine } from "../scenarios/real-engine.ts";

/** Small limits, so that few random events reach all of them. */
const POLICY: Policy = {
  mail: [
    { key: "limits.mail.per_minute", count: 3, windowMs: 1_000 },
    { key: "limits.mail.per_hour", count: 5, windowMs: 8_000 },
  ],
  connections: [{ key: "limits.connections.per_minute", count: 4, windowMs: 1_000 }],
  probes: [{ key: "limits.recipients.unknown_per_hour", count: 3, windowMs: 2_000 }],
  // Sessions are not remembered over a restart: they have tests of their own.
  perSession: 1_000_000,
  logins: { failures: 3, windowMs: 2_000, networks: [] },
  // What is under way is not remembered over a restart: it has tests of its own.
  accounts: { failures: 6, windowMs: 3_000, knownForMs: 6_000 },
  // Networks as a whole have tests of their own.
  networks: { failures: 1_000_000, windowMs: 1_000 },
  bans: {
    neighbours: 1_000_000,
    ladderMs: [100, 200, 400],
    permanent: true,
    memoryMs: 8_000,
    ipv6Prefix: 64,
    manualMs: 1_500,
  },
  allow: [must(parsePrefix("198.51.100.9"))],
  jailSentences: "unjudged",
  providers: ["google.com"],
  blockedRecipients: ["admin"],
  greylist: true,
  domains: ["example.test"],
  knownFactor: 2,
};
const OWN: readonly OwnNetwork[] = [{ prefix: must(parsePrefix("203.0.113.1")), why: "gateway" }];
const START = instant(Date.UTC(2026, 0, 1));
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_120);

const ip = fc
  .constantFrom("198.51.100.7", "198.51.100.8", "198.51.100.9", "203.0.113.1", "2001:db8:1::1", "2001:db8:1::2")
  .map((text) => must(parseIp(text)));
const prefix = fc
  .constantFrom("198.51.100.7/32", "198.51.100.9/32", "203.0.113.1/32", "2001:db8:1::/64")
  .map((text) => must(parsePrefix(text)));
const account = fc.constantFrom(null, null, "anna@example.test");
const clientName = fc.constantFrom(null, null, null, "mx.google.com");
const session = fc.constantFrom("1", "2");
const mailFacts = { ip, session, clientName, account, service: fc.constant("smtp" as const) };
const texts = { helo: fc.constant("h"), sender: fc.constantFrom("", "a@b.test", "anna@example.test") };
const recipient = fc.constantFrom(null, "anna@example.test", "nobody@example.test", "admin@example.test");
/** Each mail names one recipient: what a connection did before is forgotten at a restart. */
const rest = { recipient, queueId: fc.constant(""), transaction: fc.uuid() };
const login = {
  ip,
  service: fc.constant("imap" as const),
  login: fc.constant("anna@example.test"),
  passwordHash: fc.constantFrom("", "1", "2", "3", "4"),
};
const by = fc.constant("root");
const event: fc.Arbitrary<Event> = fc.oneof(
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
      type: fc.constant("MAIL" as const),
      ...mailFacts,
      ...texts,
      ...rest,
      recipientCount: fc.nat(3),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant("RECIPIENT" as const),
      senderExists: fc.constantFrom(null, true, true, false),
      listed: fc.constantFrom(null, null, null, { zone: "bl.test", meaning: "127.0.0.2, listed" }),
      ...mailFacts,
      ...texts,
      ...rest,
    }),
  },
  { weight: 25, arbitrary: fc.record({ type: fc.constant("LOGIN_FAILED" as const), ...login }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("LOGIN_ASKED" as const), ...login }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("LOGIN_SUCCEEDED" as const), ...login }) },
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
const step = fc.record({ afterMs: fc.constantFrom(0, 0, 0, 0, 1, 5, 20, 50, 50, 999, 1_000), event });

test("the engine decides as the oracle that recounts everything, through restarts at any moment", async () => {
  let bans = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 100, maxLength: 200, size: "max" }),
      fc.nat(20),
      async (steps, restartEvery) => {
        const oracle = new NaiveHistory(POLICY, OWN);
        const engine = new RealEngine(POLICY, OWN, START);
        try {
          let now = START;
          for (const [i, { afterMs, event: happened }] of steps.entries()) {
            now = instant(now + afterMs);
            if (restartEvery > 2 && i % restartEvery === 0) engine.restart();
            const expected = oracle.decide(happened, now);
            assert.deepEqual(await engine.decide(happened, now), expected, `event ${i}: ${JSON.stringify(happened)}`);
            bans += expected.changes.filter((change) => change.type === "BAN" && change.ban.offences > 0).length;
          }
        } finally {
          engine.remove();
        }
      },
    ),
    { numRuns: 40, seed: SEED },
  );
  assert.ok(bans > 50, `the events are wild enough to bring bans: ${bans}`);
});

function must<T>(value: T | null): T {
  assert.ok(value !== null);
  return value;
}
