import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../../src/core/decide/decision.ts";
import { differenceOf } from "../../src/jobs/replay/comparison.ts";
import { naiveHistory } from "./naive-history.ts";
import { realEngine } from "./real-engine.ts";
import { OWN, printDecisions, readScenario, rewriteExpected, type Scenario, scenarioNames } from "./scenario.ts";

for (const name of scenarioNames()) {
  test(`${name}: the core with a history that recounts everything`, () => {
    const scenario = readScenario(name);
    const got = recounted(scenario);
    if (process.env["UPDATE"] === "1") rewriteExpected(name, got);
    else assert.equal(got, scenario.expected);
  });

  for (const [how, isRestarted] of [
    ["", false],
    [", restarted before every event", true],
  ] as const)
    test(`${name}: the engine on SQLite${how}, and a replay of it`, async () => {
      const scenario = readScenario(name);
      const { policy, steps } = scenario;
      using engine = realEngine(policy, OWN);
      const decisions: Decision[] = [];
      for (const { at, event, refusals } of steps) {
        for (const refusal of refusals) engine.refuse(refusal);
        if (isRestarted) engine.restart();
        decisions.push(await engine.decide(event, at));
      }
      assert.equal(printDecisions(steps, decisions), isRestarted ? recounted(scenario, true) : scenario.expected);
      const replayed = engine.replay(policy);
      for (const one of replayed) assert.equal(differenceOf(one), null, JSON.stringify(one, null, 1));
      assert.ok(replayed.length > 0);
    });
}

/** The decisions of the oracle. */
function recounted({ policy, steps }: Scenario, isRestarted = false): string {
  const history = naiveHistory(policy, OWN);
  const decisions = steps.map(({ at, event, refusals }) => {
    for (const refusal of refusals) history.refuse(refusal);
    if (isRestarted) history.restart();
    return history.decide(event, at);
  });
  return printDecisions(steps, decisions);
}
