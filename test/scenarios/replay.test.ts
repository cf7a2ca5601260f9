import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnNetwork } from "../../src/core/decide/sparing.ts";
import { type Prefix, parsePrefix } from "../../src/core/net/ip.ts";
import { differenceOf } from "../../src/jobs/replay/comparison.ts";
import { RealEngine } from "./real-engine.ts";
import { readScenario, START, scenarioNames } from "./scenario.ts";

const HERE = import.meta.dirname;
const OWN: readonly OwnNetwork[] = [
  { prefix: network("127.0.0.0/8"), why: "loopback" },
  { prefix: network("203.0.113.10"), why: "own_address" },
  { prefix: network("203.0.113.1"), why: "gateway" },
];

for (const name of scenarioNames(HERE))
  for (const [how, restarts] of [
    ["", false],
    [", restarted now and then", true],
  ] as const)
    test(`${name}: a replay repeats each recorded decision${how}`, async () => {
      const { policy, steps } = readScenario(HERE, name);
      const engine = new RealEngine(policy, OWN, START);
      try {
        for (const [i, { at, event, refusals }] of steps.entries()) {
          for (const refusal of refusals) engine.refuse(refusal);
          if (restarts && i % 7 === 3) engine.restart();
          await engine.decide(event, at);
        }
        const replayed = engine.replay(policy);
        for (const one of replayed) assert.equal(differenceOf(one), null, JSON.stringify(one, null, 1));
        assert.ok(replayed.length > 0);
      } finally {
        engine.remove();
      }
    });

function network(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(text);
  return prefix;
}
