import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWith } from "../../../../test/kit/loaded-settings.ts";
import type { State } from "./check.ts";
import { judgePoints, leftOpen, POINTS } from "./going-live.ts";
import { groups, type Result } from "./run-checks.ts";

const ALL = groups.flatMap(({ name, checks }) =>
  Object.keys(checks).map((one) => ({ id: `${name}.${one}`, group: name })),
);

/** The results of all checks: ok, except one with the given state. */
function results(other: string, state: State): readonly Result[] {
  const rest = { did: "x", evidence: "x", mend: null, tookMs: 1 };
  return ALL.map(({ id, group }) => ({ ...rest, id, group, state: id === other ? state : "ok" }));
}

test("a point is done when all of its checks are ok, and one failed check opens only its own point", () => {
  const done = judgePoints(results("", "ok"));
  const states = done.map(({ point, state }) => [point, state]);
  const allDone = POINTS.map(({ name }) => [name, "done"]);
  assert.deepEqual(states, allDone);
  for (const { point, checks } of done)
    for (const { id } of checks)
      for (const state of ["wrong", "warning", "unknown"] as const) {
        const expected = state === "unknown" ? "unknown" : "open";
        const [open, ...others] = judgePoints(results(id, state)).filter((one) => one.state !== "done");
        assert.deepEqual([open?.point, open?.state, others], [point, expected, []], id);
      }
});

test("a check that did not run proves nothing", () => {
  for (const { state } of judgePoints([])) assert.equal(state, "unknown");
});

const named = (more: string): readonly string[] => leftOpen(settingsWith(more)).map(({ setting }) => setting);

test("lists what the defaults leave open, until the owner decides otherwise", () => {
  assert.deepEqual(named(""), ["firewall.mode", "fail2ban.sentences", "mailboxes.encryption"]);
  assert.deepEqual(named('firewall.mode = "strict"\n'), ["fail2ban.sentences", "mailboxes.encryption"]);
  assert.deepEqual(named('fail2ban.sentences = "all"\n'), ["firewall.mode", "mailboxes.encryption"]);
  const others = 'fail2ban.enabled = false\n[mailboxes]\nencryption = "account"\n';
  assert.deepEqual(named(others), ["firewall.mode", "fail2ban.enabled"]);
});
