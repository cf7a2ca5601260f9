import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { lacking } from "../../test/kit/needs.ts";
import { temporaryLayout } from "../../test/kit/temporary-directory.ts";
import { setZone } from "../../test/kit/time-zone.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../core/time.ts";
import { isNightDue, lastNight, nextNight, runBehind, withUnnoted } from "./job.ts";

const at = (text: string): number => Date.parse(text);

describe("nights in Berlin", () => {
  let restoreZone: () => void;
  before(() => void (restoreZone = setZone("Europe/Berlin")));
  after(() => restoreZone());

  test("the last night started at its hour, not after now, and the next one starts after now", () => {
    const two = at("2026-11-21T02:00+01:00");
    for (const now of [two, two + MINUTE_MS, two + DAY_MS - 1]) {
      assert.equal(lastNight(2, now), two);
      assert.equal(nextNight(2, now), two + DAY_MS);
    }
  });

  test("nothing starts again in the repeated hour at the end of summer time", () => {
    const two = at("2026-10-25T02:00+02:00");
    for (let now: number = two; now < two + 25 * HOUR_MS; now += MINUTE_MS) assert.equal(lastNight(2, now), two);
    assert.equal(nextNight(2, two), two + 25 * HOUR_MS);
  });

  test("an hour that daylight saving time skips is replaced by the next one, once", () => {
    const nights = new Set<number>();
    for (let now = at("2026-03-28T03:00+01:00"); now < at("2026-03-30T03:00+02:00"); now += MINUTE_MS)
      nights.add(lastNight(2, now));
    const expected = ["2026-03-28T02:00+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"];
    assert.deepEqual([...nights], expected.map(at));
  });
});

const THREE = new Date(2026, 10, 20, 3, 0, 0).getTime();
const NONE = { last: null, failure: null, since: THREE - 5 * DAY_MS };
const AT_NOON = { ...NONE, since: THREE + 9 * HOUR_MS };
const made = (ms: number) => ({ ...NONE, last: { at: THREE + ms } });
const failed = (ms: number) => ({ ...NONE, failure: { at: THREE + ms, reason: "" } });

for (const [what, record, ms, isDue] of [
  ["the first night", NONE, 0, true],
  ["a server that was set up at noon waits for the night", AT_NOON, 12 * HOUR_MS, false],
  ["before the hour, with last night's made", made(-DAY_MS), -MINUTE_MS, false],
  ["after the hour", made(-DAY_MS), MINUTE_MS, true],
  ["once a night", made(0), HOUR_MS, false],
  ["a machine that slept makes it when it wakes", made(-DAY_MS), 8 * HOUR_MS, true],
  ["not at once after a failure", failed(0), MINUTE_MS, false],
  ["one that was made while the clock was ahead does not count", made(90 * DAY_MS), MINUTE_MS, true],
  ["nor does one that failed while the clock was ahead", failed(90 * DAY_MS), MINUTE_MS, true],
  ["again an hour after it", failed(0), HOUR_MS, true],
] as const)
  test(`whether a nightly run is due: ${what}`, () => assert.equal(isNightDue(record, 3, THREE + ms), isDue));

const UNNOTED = { at: 5, reason: "no room" };
const failedAt = (at: number) => ({ at, reason: "another" });

for (const { what, record, isShown } of [
  { what: "an empty record", record: { last: null, failure: null }, isShown: true },
  { what: "after what is noted", record: { last: { at: 3 }, failure: failedAt(4) }, isShown: true },
  { what: "it was noted after all", record: { last: { at: 3 }, failure: failedAt(5) }, isShown: false },
  { what: "a later failure", record: { last: null, failure: failedAt(6) }, isShown: false },
  { what: "what went well later", record: { last: { at: 6 }, failure: null }, isShown: false },
])
  test(`a failure that could not be noted: ${what}`, () => {
    assert.deepEqual(withUnnoted(record, UNNOTED), isShown ? { ...record, failure: UNNOTED } : record);
    assert.equal(withUnnoted(record, null), record);
  });

/** `script`: of report.js, with `out`, a file to write. */
function installed(script: string) {
  const layout = temporaryLayout();
  mkdirSync(layout.program);
  symlinkSync(process.execPath, layout.node);
  const out = join(layout.data, "out");
  const head = `const { execFileSync } = require("node:child_process"); const out = ${JSON.stringify(out)};`;
  writeFileSync(join(layout.program, "report.js"), `${head}\n${script}`);
  return { layout, written: () => readFileSync(out, "utf8") };
}

const SKIP = { skip: lacking({ installed: ["nice", "ionice"] }) };

test("a program runs at low priority, with its arguments", SKIP, async () => {
  const { layout, written } = installed(`
    const [nice, io] = [execFileSync("nice"), execFileSync("ionice")];
    const { readFileSync, writeFileSync } = require("node:fs");
    const memory = readFileSync("/proc/self/oom_score_adj");
    writeFileSync(out, [...process.argv.slice(2), nice, io, memory].join(" "));`);
  assert.equal(await runBehind(layout, "report", ["2026-11-23", "7"]), null);
  const before = Number(execFileSync("nice"));
  assert.match(written(), new RegExp(`^2026-11-23 7 ${Math.min(19, before + 10)}\\n idle\\n 800\\n$`));
});

const UNSAFE = 'class UnsafePath extends Error { constructor(says) { super(says); this.name = "UnsafePath"; } }';

for (const [what, script, reason] of [
  ["its code", "process.exit(3)", "it ended with code 3"],
  ["its signal", 'console.error("report: x"); process.kill(process.pid, "SIGKILL")', "it was ended by SIGKILL"],
  ["what it printed last", 'console.error("report: a\\nreport: no room: b"); process.exit(1)', "no room: b"],
  ["an error that nothing caught", 'require("node:fs").writeFileSync("/proc/x", "")', /^ENOENT: .*\/proc\/x'$/],
  ["one of our own", `${UNSAFE} throw new UnsafePath("give it to root.");`, "give it to root."],
] as const)
  test(`a program's failure is reported: ${what}`, SKIP, async (t) => {
    const logged = t.mock.method(process.stderr, "write", () => true);
    const ended = (await runBehind(installed(script).layout, "report")) ?? "";
    if (typeof reason === "string") assert.equal(ended, reason);
    else assert.match(ended, reason);
    assert.equal(logged.mock.callCount() > 0, what !== "its code", "the log shows what it prints, too");
  });

test("a program that does not end is killed after its limit, and reported", SKIP, async () => {
  const { layout } = installed("process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000);");
  const reported: string[] = [];
  const limit = { ms: 600, passed: (reason: string) => void reported.push(reason) };
  assert.equal(await runBehind(layout, "report", [], limit), "it was ended by SIGKILL");
  assert.deepEqual(reported, ["it did not finish within 1 s"]);
});

test("a program that ends in time leaves no timer behind", SKIP, async () => {
  const pending = (): number => process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
  const before = pending();
  const limit = { ms: HOUR_MS, passed: () => assert.fail("it ended in time") };
  assert.equal(await runBehind(installed("").layout, "report", [], limit), null);
  assert.equal(pending(), before);
});

test("a program that cannot be started is reported, too, and does not end the keeper", SKIP, async (t) => {
  const { layout } = installed("");
  const said = t.mock.method(console, "error", () => undefined);
  const path = process.env["PATH"];
  t.after(() => (process.env["PATH"] = path));
  process.env["PATH"] = layout.data;
  assert.equal(await runBehind(layout, "report"), "spawn nice ENOENT");
  assert.deepEqual(said.mock.calls[0]?.arguments, ["keeper: report.js could not be started: spawn nice ENOENT"]);
});
