import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { Event } from "../../src/core/events/event.ts";
import { instant } from "../../src/core/time.ts";
import { MAIL } from "../kit/samples.ts";
import { naiveHistory } from "../scenarios/naive-history.ts";
import { realEngine } from "../scenarios/real-engine.ts";
import { START } from "../scenarios/scenario.ts";
import { OWN, SMALL_POLICY } from "./small-policy.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_120);
const MANY = 1_000;
/** A policy under which only refusals hold an account. */
const POLICY: Policy = {
  ...SMALL_POLICY,
  mail: [{ key: "limits.mail.per_hour", count: MANY, windowMs: 2_000 }],
  sending: {
    burst: { ...SMALL_POLICY.sending.burst, count: MANY },
    recipients: [],
    strangers: SMALL_POLICY.sending.strangers.map((limit) => ({ ...limit, count: MANY })),
    refused: { key: "limits.sending.refused", count: 2, windowMs: 2_000 },
  },
};

/** An account's mail to strangers and people whom it knows, or refusals of an earlier mail. */
const step = fc.record({
  afterMs: fc.constantFrom(0, 1, 50, 300, 1_000),
  account: fc.constantFrom("anna@example.test", "bea@example.test"),
  known: fc.nat(2),
  strangers: fc.nat(5),
  /** How many mails ago the refused one was sent. */
  refuses: fc.constantFrom(null, 0, 0, 0, 1, 2, 7),
  /** How many domains the refusing recipients belong to. */
  domains: fc.constantFrom(1, 2, 5),
});
type Mail = Readonly<{ account: string; known: number; strangers: number }>;
const history = fc.tuple(fc.array(step, { minLength: 20, maxLength: 60, size: "max" }), fc.constantFrom(0, 5, 17));

function mailOf({ account, known, strangers }: Mail, n: number): readonly Event[] {
  const id = `mail${n}`;
  const about = { ...MAIL, account, sender: account, session: id, transaction: id, queueId: `Q${n}` };
  const to = [
    ...Array.from({ length: known }, (_, i) => `friend${i}@example.net`),
    ...Array.from({ length: strangers }, (_, i) => `${id}-${i}@example.net`),
  ];
  const recipient = to.length === 1 ? (to[0] ?? null) : null;
  return [
    ...to.map(
      (one): Event => ({ type: "RECIPIENT", ...about, recipient: one, blockListing: null, senderExists: null }),
    ),
    { type: "DATA", ...about, recipient, recipientCount: to.length },
    { type: "END_OF_MESSAGE", ...about, recipient, recipientCount: to.length, sizeBytes: 1 },
  ];
}

test("refusals hold an account as the oracle says, despite restarts between any two steps", async () => {
  let holds = 0;
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(history, async ([steps, restartEvery]) => {
      const oracle = naiveHistory(POLICY, OWN);
      using engine = realEngine(POLICY, OWN);
      let now = START;
      let mails = 0;
      for (const [i, one] of steps.entries()) {
        now = instant(now + one.afterMs);
        if (restartEvery > 0 && i % restartEvery === 0) for (const each of [oracle, engine]) each.restart();
        const queueId = `Q${mails - (one.refuses ?? 0)}`;
        if (one.refuses !== null)
          for (let times = 0; times < one.strangers; times++)
            for (const each of [oracle, engine])
              each.refuse({ at: now, queueId, recipient: `x@of${times}.place${times % one.domains}.test` });
        else {
          mails += 1;
          for (const event of mailOf(one, mails)) {
            const expected = oracle.decide(event, now);
            assert.deepEqual(await engine.decide(event, now), expected, `step ${i}: ${JSON.stringify(event)}`);
            if (expected.changes.some(({ type }) => type === "HOLD_ACCOUNT")) holds += 1;
            else if (expected.verdict === "pass" && event.type === "DATA") passed += 1;
          }
        }
      }
    }),
    { numRuns: 12, seed: SEED, endOnFailure: true },
  );
  assert.ok(holds > 0 && passed > 0, `${holds} holds, ${passed} mails passed`);
});
