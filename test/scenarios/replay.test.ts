import assert from "node:assert/strict";
import { test } from "node:test";
import { differenceOf } from "../../src/jobs/replay/comparison.ts";
import { RealEngine } from "./real-engine.ts";
import { OWN, readScenario, START, scenarioNames } from "./scenario.ts";

const HERE = import.meta.dirname;

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
