import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../../../../test/kit/samples.ts";
import { judgeOpenPorts } from "./firewall.ts";

const NONE = { open: null, waitsS: null, faults: [] };
const OPEN = opening(["22/tcp", "25/tcp"]);

test("the firewall accepts what the settings and SSH need, and nothing else", () => {
  const confirmed = { ...NONE, state: "confirmed", open: OPEN } as const;
  assert.equal(judgeOpenPorts(confirmed, OPEN).state, "ok");
  const more = judgeOpenPorts(confirmed, opening(["25/tcp"]));
  assert.deepEqual([more.state, /still accepts 22\/tcp, which/.test(more.saw)], ["warning", true], more.saw);
  const less = judgeOpenPorts(confirmed, opening(["22/tcp", "25/tcp", "993/tcp"]));
  assert.deepEqual([less.state, /closes 993\/tcp\./.test(less.saw)], ["wrong", true], less.saw);
  const trial = judgeOpenPorts({ ...NONE, state: "trial", open: OPEN, waitsS: 60 }, OPEN);
  assert.deepEqual([trial.state, /firewall confirm/.test(trial.fix)], ["warning", true]);
});

for (const [state, judged] of [
  ["bans", "ok"],
  ["off", "unknown"],
  ["unknown", "unknown"],
  ["unconfirmed", "wrong"],
  ["broken", "wrong"],
] as const)
  test(`a firewall that is ${state} is ${judged}`, () =>
    assert.equal(judgeOpenPorts({ ...NONE, state }, OPEN).state, judged));
