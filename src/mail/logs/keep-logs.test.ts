import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { modeOf, put } from "../../../test/kit/files.ts";
import { afterEachOf, beforeEachOf } from "../../../test/kit/hooks.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { DAY_MS, instant } from "../../core/time.ts";
import { textOrNothing as read } from "../../host/machine/read-text.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { createLogKeeper } from "./keep-logs.ts";
import { elderParts } from "./log-follower.ts";

const WARNING = "Nov 20 08:08:30 mail postfix/smtpd[1]: warning: hostname x does not resolve";
const ERROR = "Nov 20 08:08:31 imap(anna@example.test)<1><x>: Error: disk full";
const SETTINGS = { "logs.max_size": 1_000_000, "logs.max_age": DAY_MS, "logs.keep": 3 };
const INFO = "Nov 20 08:08:32 mail postfix/smtpd[1]: connect from x[198.51.100.7] error: warning: fatal:";

const top = temporaryDirectory();
let tests = 0;
let layout: Layout;
let keeper: ReturnType<typeof make>;
let reopened: number;
let now: number;

beforeEachOf(import.meta.filename, () => {
  layout = layoutOf(join(top, String(++tests)));
  put(layout.mailLog, "", 0o640);
  reopened = 0;
  now = Date.now();
  keeper = make();
});
afterEachOf(import.meta.filename, () => keeper.stop());

function make(changes: Partial<Parameters<typeof createLogKeeper>[0]> = {}) {
  return createLogKeeper({
    layout,
    clock: { now: () => instant(now) },
    settings: () => SETTINGS,
    reopen: () => {
      reopened += 1;
      return Promise.resolve(null);
    },
    access: { mode: 0o640 },
    say: (what) => assert.fail(what),
    ...changes,
  });
}

/** Starts a program that has this file open until the test ends. */
function holdOpen(t: TestContext, file: string, flags: string): void {
  const held = openSync(file, flags);
  const child = spawn("sleep", ["60"], { stdio: ["ignore", held, "ignore"] });
  t.after(() => child.kill("SIGKILL"));
  closeSync(held);
}

/** Another keeper looks, as after a restart. */
async function lookAgain(): Promise<void> {
  await keeper.stop();
  keeper = make();
  await keeper.look();
}

test("writes warnings and errors to separate files, each once, even after a restart", async () => {
  await keeper.look();
  appendFileSync(layout.mailLog, `${WARNING}\n${INFO}\n${ERROR}\n`);
  await until(() => read(layout.mailErr) !== "");
  assert.equal(read(layout.mailWarn), `${WARNING}\n${ERROR}\n`);
  assert.equal(read(layout.mailErr), `${ERROR}\n`);
  assert.equal(modeOf(layout.mailWarn), 0o640);
  appendFileSync(layout.mailLog, `${WARNING}\n`);
  await lookAgain();
  await until(() => read(layout.mailWarn).split("\n").length === 4);
  assert.equal(read(layout.mailWarn), `${WARNING}\n${ERROR}\n${WARNING}\n`);
  assert.equal(read(layout.mailErr), `${ERROR}\n`);
});

test("warnings are written once even if the disk takes no new file", async () => {
  const said: string[] = [];
  keeper = make({ say: (what) => said.push(what) });
  put(join(`${layout.mailLog}.split`, "in the way"));
  await keeper.look();
  for (const line of [ERROR, WARNING]) {
    appendFileSync(layout.mailLog, `${line}\n`);
    await until(() => read(layout.mailWarn).includes(line));
  }
  assert.deepEqual([read(layout.mailWarn), said.length], [`${ERROR}\n${WARNING}\n`, 1]);
});

test("a log that cannot be rotated does not keep others from being rotated", async () => {
  let asked = 0;
  keeper = make({ settings: () => ((asked += 1) === 1 ? assert.fail("no room") : SETTINGS) });
  for (const file of [layout.mailWarn, layout.mailLog]) put(file, "x".repeat(1_000_000));
  await assert.rejects(keeper.look(), /no room/);
  assert.deepEqual([elderParts(layout.mailWarn).length, elderParts(layout.mailLog).length], [0, 1]);
  await keeper.look();
  assert.equal(elderParts(layout.mailWarn).length, 1);
});

test("rotates a large or old log as a whole, but never an empty one", async () => {
  await keeper.look();
  assert.deepEqual(elderParts(layout.mailLog), []);
  put(layout.mailLog, "x".repeat(1_000_000));
  await keeper.look();
  const [aside = ""] = elderParts(layout.mailLog);
  assert.equal(statSync(aside).size, 1_000_000);
  assert.equal(statSync(layout.mailLog).size, 0);
  assert.equal(modeOf(layout.mailLog), 0o640);
  assert.equal(reopened, 1);
  now += DAY_MS + 60_000;
  await keeper.look();
  assert.equal(elderParts(layout.mailLog).length, 1, "an empty log does not age");
  appendFileSync(layout.mailLog, `${INFO}\n`);
  await keeper.look();
  assert.equal(elderParts(layout.mailLog).length, 2);
});

test("names sort by age, even in one second and after the clock was ahead", async () => {
  now = Date.UTC(2026, 10, 20);
  keeper = make({ settings: () => ({ ...SETTINGS, "logs.keep": 4 }) });
  put(`${layout.mailLog}.20271231-235959`, "named while the clock was ahead\n");
  for (const part of ["one", "two"]) {
    put(layout.mailLog, part.padEnd(1_000_000));
    await keeper.look();
  }
  const parts = elderParts(layout.mailLog).map((path) => `${basename(path)} ${read(path).slice(0, 3)}`);
  const rotated = ["mail.log.20280101-000000 one", "mail.log.20280101-000001 two"];
  assert.deepEqual(parts, ["mail.log.20271231-235959 nam", ...rotated]);
});

test("a removed log is created again, and the guard can read one that Postfix created first", async () => {
  rmSync(layout.mailLog);
  await keeper.look();
  assert.deepEqual([modeOf(layout.mailLog), reopened], [0o640, 1]);
  rmSync(layout.mailLog);
  put(layout.mailLog, "", 0o600);
  await keeper.look();
  assert.deepEqual([modeOf(layout.mailLog), reopened], [0o640, 1]);
});

test("keeps the configured number of logs, the newest uncompressed, older ones compressed", async () => {
  for (let n = 1; n <= 5; n += 1) {
    const file = `${layout.mailLog}.2026111${n}-080000`;
    put(file, `part ${n}\n`, 0o640);
    utimesSync(file, now / 1_000 - 10 * 86_400 + n, now / 1_000 - 10 * 86_400 + n);
  }
  await keeper.look();
  const kept = elderParts(layout.mailLog).map((path) => basename(path));
  assert.deepEqual(kept, ["mail.log.20261113-080000.gz", "mail.log.20261114-080000.gz", "mail.log.20261115-080000"]);
  const packed = `${layout.mailLog}.20261113-080000.gz`;
  assert.equal(gunzipSync(readFileSync(packed)).toString(), "part 3\n");
  assert.equal(modeOf(packed), 0o640);
  assert.ok(statSync(packed).mtimeMs < now - 9 * DAY_MS, "its time is needed for the year of its lines");
  assert.ok(!readdirSync(dirname(layout.mailLog)).some((name) => name.endsWith(".half")));
});

test("a flood removes no recent log that fits when compressed", async () => {
  const rotate = async (text: string): Promise<readonly string[]> => {
    now += 60_000;
    put(layout.mailLog, text);
    await keeper.look();
    return elderParts(layout.mailLog).map((path) => extname(path));
  };
  const flood = `${INFO}\n`.repeat(11_000);
  for (let n = 1; n < 10; n += 1) await rotate(flood);
  const ten = await rotate(flood);
  assert.deepEqual([ten.length, ten.filter((name) => name === ".gz").length], [10, 8], "the newest stay as they are");
  now += 4 * DAY_MS;
  assert.equal((await rotate(INFO)).length, 3, "in the end their age counts");
  const random = () => `${randomBytes(750_000).toString("base64")}\n`.replaceAll(/.{1000}/g, "$&\n");
  for (let n = 0; n < 5; n += 1) await rotate(random());
  assert.equal(elderParts(layout.mailLog).length, 3, "at most 3 MB");
});

test("programs that write to a removed log are made to reopen it, even if the first attempt fails", async (t) => {
  holdOpen(t, layout.mailLog, "a");
  rmSync(layout.mailLog);
  await keeper.look();
  assert.equal(reopened, 1);
  // As after a failure or a kill: the file is there, but not open.
  await lookAgain();
  assert.equal(reopened, 2);
});

test("finishes a rotation that a kill interrupted: programs that still write the old file get a signal", async (t) => {
  const aside = `${layout.mailLog}.20261113-080000`;
  put(aside, "x\n");
  await keeper.look();
  assert.equal(reopened, 0, "no program has it open");
  // This process does not count: separate ones hold it open. Nor does one that only reads it, such as the guard.
  for (const [times, flags] of ["r", "a"].entries()) {
    holdOpen(t, aside, flags);
    await lookAgain();
    assert.equal(reopened, times, flags);
  }
});
