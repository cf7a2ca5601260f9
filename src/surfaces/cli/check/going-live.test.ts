import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWith } from "../../../../test/kit/loaded-settings.ts";
import type { State } from "./finding.ts";
import { groupsOfPoints, judgePoints, leftOpen, POINTS } from "./going-live.ts";
import { groups, type Result } from "./run-checks.ts";

/** All checks of the points, with one changed. */
function results(other: string, state: State): readonly Result[] {
  const rest = { group: "", did: "x", evidence: "x", mend: null, tookMs: 1 };
  return POINTS.flatMap(({ checks }) => checks.map((id) => ({ ...rest, id, state: id === other ? state : "ok" })));
}

test("a point is done when all of its checks are ok, and one failed check opens only its own point", () => {
  assert.deepEqual(
    judgePoints(results("", "ok")).map(({ point, state }) => [point, state]),
    [
      ["Change default passwords", "done"],
      ["Configure firewall rules", "done"],
      ["Set up SSL certificates", "done"],
      ["Configure DNS security records", "done"],
      ["Review and test backup procedures", "done"],
    ],
  );
  for (const { name, checks } of POINTS)
    for (const id of checks)
      for (const [state, expected] of [
        ["wrong", "open"],
        ["warning", "open"],
        ["unknown", "unknown"],
      ] as const) {
        const open = judgePoints(results(id, state)).filter((one) => one.state !== "done");
        assert.deepEqual(
          open.map(({ point, state: found }) => [point, found]),
          [[name, expected]],
          id,
        );
      }
});

test("a check that did not run proves nothing", () => {
  for (const { state } of judgePoints([])) assert.equal(state, "unknown");
});

test("each check of the points is in the table, and all of TLS, the firewall and backups are covered", () => {
  const ids = groups.flatMap(({ name, checks }) => checks.map((one) => `${name}.${one.name}`));
  const named: readonly string[] = POINTS.flatMap(({ checks }) => checks);
  assert.deepEqual(
    named.filter((id) => !ids.includes(id)),
    [],
  );
  const whole = /^(?:tls|firewall|backups|passwords|ports|bans)\./;
  assert.deepEqual(
    ids.filter((id) => whole.test(id) && !named.includes(id)),
    [],
  );
  for (const group of groupsOfPoints()) assert.ok(groups.some(({ name }) => name === group));
});

function named(more: string): readonly string[] {
  return leftOpen(settingsWith(more)).map(({ setting }) => setting);
}

test("lists what the defaults leave open, until the owner decides otherwise", () => {
  assert.deepEqual(named(""), ["firewall.mode", "fail2ban.sentences"]);
  assert.deepEqual(named('firewall.mode = "strict"\n'), ["fail2ban.sentences"]);
  assert.deepEqual(named('fail2ban.sentences = "all"\n'), ["firewall.mode"]);
  assert.deepEqual(named("fail2ban.enabled = false\n"), ["firewall.mode", "fail2ban.enabled"]);
});
