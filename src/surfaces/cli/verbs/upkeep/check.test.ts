import assert from "node:assert/strict";
import { test } from "node:test";
import { COMPILED, OWN_ETC } from "../../../../../test/kit/own-etc.ts";
import { temporaryLayout } from "../../../../../test/kit/temporary-directory.ts";
import { runProgram } from "../../../../host/machine/run-program.ts";
import { groups, type Result } from "../../check/run-checks.ts";
import { changesSince, checklistOf, outcomeOf } from "./check.ts";

const RIGHT: Result = { id: "a.b", group: "a", state: "ok", did: "Looks.", evidence: "seen", mend: null, tookMs: 1 };

test("what is wrong decides the exit code; warnings and unknown results do not", () => {
  assert.ok(outcomeOf([RIGHT, { ...RIGHT, state: "warning", mend: "x" }, { ...RIGHT, state: "unknown" }], []).ok);
  const changed = [{ id: "a.b", from: "ok", to: "wrong" }] as const;
  const wrong: Result = { ...RIGHT, state: "wrong", mend: "./ghostinbox x" };
  const bad = outcomeOf([RIGHT, wrong], changed);
  assert.ok(!bad.ok);
  assert.equal(bad.exit, "failed");
  assert.deepEqual(bad.found?.lines, [
    "ok       a.b: seen",
    "         did: Looks.",
    "wrong    a.b: seen",
    "         did: Looks.",
    "         fix: ./ghostinbox x",
    "Changed since the last check: a.b was ok, and is wrong.",
  ]);
  const counts = { ok: 1, unknown: 0, warning: 0, wrong: 1 };
  assert.deepEqual(bad.found?.json, { ok: false, counts, changed, checks: [RIGHT, wrong] });
});

test("a check counts as changed if its result differs from before; a new check does not", () => {
  const kept = { state: "wrong", evidence: "", passedAt: null } as const;
  const checks = { "a.b": kept, "a.c": { ...kept, state: "ok" } as const };
  const results = [RIGHT, { ...RIGHT, id: "a.c" }, { ...RIGHT, id: "a.d" }];
  assert.deepEqual(changesSince({ checks }, results), [{ id: "a.b", from: "wrong", to: "ok" }]);
});

test("the checklist fails while a point is open, and says what cannot be known", () => {
  const point = { point: "Set up", checks: [RIGHT] };
  const points = (["done", "unknown"] as const).map((state) => ({ ...point, state }));
  const well = checklistOf(points, []);
  assert.ok(well.ok);
  const shown = "Set up\n    ok       a.b: seen\n             did: Looks.\n";
  const count = "Done: 1 of 2; 1 could not be checked from here: check those marked [?] yourself.";
  assert.equal(well.text, `[x] ${shown}[?] ${shown}${count}`);
  const left = [{ setting: "firewall.mode", leaves: "Every port is reached.", change: "config set" }];
  const open = checklistOf(points, left);
  assert.ok(open.ok, "what is left open opens no point");
  const says = /^Your settings leave this open:\n {4}firewall\.mode: Every port is reached\.\n {9}change: config set$/m;
  assert.match(open.text, says);
  const bad = checklistOf([{ ...point, state: "open" }], []);
  assert.ok(!bad.ok);
  assert.match(bad.message, /^Done: 0 of 1; 1 open\.$/);
  assert.equal(bad.found?.lines[0], "[ ] Set up");
});

test("every check says what it does", () => {
  for (const { does } of groups.flatMap(({ checks }) => Object.values(checks))) assert.match(does, /^[A-Z].*\.$/);
});

test("results that cannot be kept on a read-only disk are still printed", OWN_ETC, async () => {
  const { data } = temporaryLayout("checkRecord");
  const modules = ["./check.ts", "../../../../settings/layout.ts", "../../../../jobs/check/check-record.ts"];
  const script = `
    const [{ keepResults }, { layoutOf }, { NO_CHECKS }] = await Promise.all(process.argv.slice(2).map((one) => import(one)));
    console.log(keepResults(layoutOf(process.argv[1]), NO_CHECKS));`;
  const node = [process.execPath, "--input-type=module", "--eval", script, data];
  const mounted = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"';
  const urls = modules.map((module) => import.meta.resolve(module));
  const argv = ["--mount", "sh", "-ec", mounted, "sh", data, ...node, ...urls];
  const ran = await runProgram("unshare", argv, { env: COMPILED });
  const says = /^The disk is mounted read-only \(.*\): mount it for writing, then check again\.\n$/;
  assert.match(ran.stdout, says, ran.stderr);
});
