import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../../src/core/decide/decision.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import { differenceOf } from "../../src/jobs/replay/comparison.ts";
import { NaiveHistory } from "./naive-history.ts";
import { RealEngine } from "./real-engine.ts";
import { OWN, printDecisions, readScenario, rewriteExpected, START, scenarioNames } from "./scenario.ts";

for (const name of scenarioNames()) {
  test(`${name}: the core with a history that recounts everything`, () => {
    const { policy, steps, expected } = readScenario(name);
    const history = new NaiveHistory(policy, OWN);
    const got = printDecisions(
      steps,
      steps.map(({ at, event, refusals }) => {
        for (const refusal of refusals) history.refuse(refusal);
        return history.decide(event, at);
      }),
    );
    if (process.env["UPDATE"] === "1") rewriteExpected(name, got);
    else assert.equal(got, expected);
  });

  test(`${name}: the engine on SQLite, and a replay of it`, async () => {
    const { policy, steps, expected } = readScenario(name);
    const engine = new RealEngine(policy, OWN, START);
    try {
      const decisions: Decision[] = [];
      for (const { at, event, refusals } of steps) {
        for (const refusal of refusals) engine.refuse(refusal);
        decisions.push(await engine.decide(event, at));
      }
      assert.equal(printDecisions(steps, decisions), expected);
      assertReplayed(engine, policy);
    } finally {
      engine.remove();
    }
  });

  test(`${name}: the engine on SQLite, restarted before every event, and a replay of it`, async () => {
    const { policy, steps } = readScenario(name);
    const history = new NaiveHistory(policy, OWN);
    const engine = new RealEngine(policy, OWN, START);
    try {
      const decisions: Decision[] = [];
      const expected: Decision[] = [];
      for (const { at, event, refusals } of steps) {
        for (const one of [engine, history]) {
          for (const refusal of refusals) one.refuse(refusal);
          one.restart();
        }
        decisions.push(await engine.decide(event, at));
        expected.push(history.decide(event, at));
      }
      assert.equal(printDecisions(steps, decisions), printDecisions(steps, expected));
      assertReplayed(engine, policy);
    } finally {
      engine.remove();
    }
  });
}

/** A replay repeats each recorded decision. */
function assertReplayed(engine: RealEngine, policy: Policy): void {
  const replayed = engine.replay(policy);
  for (const one of replayed) assert.equal(differenceOf(one), null, JSON.stringify(one, null, 1));
  assert.ok(replayed.length > 0);
}
