// Invariant: Every ban is checked against everything that forbids it (core/decide/sparing.ts, neighbours.ts); an independent oracle computes the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Change } from "../../src/core/decide/decision.ts";
import type { Reason } from "../../src/core/events/reasons.ts";
import { neighbourhoodOf, prefixOf } from "../../src/core/net/ip.ts";
import { instant, type Millis } from "../../src/core/time.ts";
import { naiveHistory } from "../scenarios/naive-history.ts";
import type { Credited } from "../scenarios/naive-networks.ts";
import { realEngine } from "../scenarios/real-engine.ts";
import { START } from "../scenarios/scenario.ts";
import { type Aside, POLICY, stepOf, WORLDS } from "./histories.ts";
import { OWN } from "./small-policy.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_124);

const history = fc
  .constantFrom(...WORLDS)
  .chain((world) =>
    fc.tuple(
      fc.constant(world),
      fc.array(stepOf(world), { minLength: 60, maxLength: 120, size: "max" }),
      fc.constantFrom(0, 3, 7, 15, 50, 150),
    ),
  );

test("the engine decides like an oracle that recounts everything, despite restarts at any moment", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(history, async ([{ policy }, steps, restartEvery]) => {
      const oracle = naiveHistory(policy, OWN);
      using engine = realEngine(policy, OWN);
      let now = START;
      const happened = steps.flatMap(({ afterMs, times, what }) =>
        Array.from({ length: times }, (_, i) => ({ afterMs: i === 0 ? afterMs : 0, what })),
      );
      for (const [i, { afterMs, what }] of happened.entries()) {
        now = instant(now + afterMs);
        if (restartEvery > 0 && i % restartEvery === 0) for (const one of [oracle, engine]) one.restart();
        if (what.type === "administrator") for (const one of [oracle, engine]) one.administratorAt(what.ip, now);
        else if (what.type === "credit") for (const one of [oracle, engine]) one.credit(credited(what, now));
        else {
          const expected = oracle.decide(what, now);
          assert.deepEqual(await engine.decide(what, now), expected, `event ${i}: ${JSON.stringify(what)}`);
          for (const name of expected.changes.flatMap(nameOf)) seen.set(name, (seen.get(name) ?? 0) + 1);
        }
      }
    }),
    { numRuns: 80, seed: SEED, endOnFailure: true },
  );
  for (const name of MUST_HAPPEN) assert.ok((seen.get(name) ?? 0) > 0, `${name}: ${JSON.stringify([...seen])}`);
});

const MUST_HAPPEN: readonly Reason[] = [
  "connection_limit",
  "mail_limit",
  "login_failures",
  "recipient_probing",
  "neighbours_banned",
  "network_guesses",
  "gateway",
  "allow_listed",
  "admin_session",
  "all_clients",
  "known_network",
  "honest_network",
];

/** Why an offence led to a ban or not. */
function nameOf(change: Change): readonly string[] {
  if (change.type === "SPARE") return [change.why];
  return change.type === "BAN" && change.ban.offences > 0 ? [change.ban.code] : [];
}

function credited({ ip, mail }: Extract<Aside, { type: "credit" }>, at: Millis): Credited {
  const length = POLICY.bans.ipv6Prefix;
  return { at, prefix: prefixOf(ip, length), network: neighbourhoodOf(ip, length), mail };
}
