import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { patience } from "../../../test/kit/patience.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import type { Ban } from "../../core/decide/decision.ts";
import { DAY_MS, SECOND_MS } from "../../core/time.ts";
import { WEB_LIMITS } from "../../guard/commands/web/web-bounds.ts";
import { createReportTaker, readReport, waitingReports } from "./report-taker.ts";

function taker() {
  const directory = temporaryDirectory();
  const kit = engineOnMemory();
  const banned: Ban[] = [];
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (message: string) => warnings.push(message), error: assert.fail };
  const machine = { aheadMs: 0, isOpen: false };
  const forgeable = { jail: "dovecot", isNow: () => machine.isOpen };
  const parts = { ...kit, directory, log, forgeable, aheadMs: () => machine.aheadMs };
  const reports = createReportTaker({ ...parts, banned: (ban) => banned.push(ban) });
  const report = (name: string, fields: object = {}): void => {
    const lastAt = Math.floor(kit.clock.now() / SECOND_MS);
    const numbers = { failures: 3, limit: 3, windowSeconds: 600, banSeconds: 600, lastAt };
    const usual = { jail: "postfix", ip: "198.51.100.7", ...numbers, lines: ["a line", "a line", "a line"] };
    writeFileSync(join(directory, name), JSON.stringify({ ...usual, ...fields }));
  };
  return { ...kit, machine, directory, reports, report, banned, warnings };
}

test("the web, which writes the log of its jail, can cause only a bounded number of bans", async () => {
  const { reports, report, banned, directory } = taker();
  const most = WEB_LIMITS.bannedSignIns;
  for (let i = 0; i <= most; i++)
    report(`${String(i).padStart(3, "0")}.json`, { jail: "ghostinbox-dashboard", ip: `198.51.${i}.1` });
  report("999.json", { ip: "203.0.113.9" });
  while (readdirSync(directory).length > 0) await reports.look();
  assert.deepEqual([banned.length, banned.at(-1)?.prefix], [most + 1, "203.0.113.9/32"]);
});

test("a report on addresses that clients could have forged bans no address, even if it comes late", async () => {
  const { reports, report, machine, clock, directory, banned, warnings } = taker();
  const onDovecot = (name: string, ip: string, fields = {}): void => report(name, { jail: "dovecot", ip, ...fields });
  machine.isOpen = true;
  onDovecot("1.json", "198.51.100.8");
  report("2.json");
  await reports.look();
  const lastAt = Math.floor(clock.now() / SECOND_MS);
  clock.advance(2 * SECOND_MS);
  machine.isOpen = false;
  onDovecot("3.json", "198.51.100.9", { lastAt });
  await reports.look();
  clock.advance(2 * SECOND_MS);
  onDovecot("4.json", "198.51.100.10");
  // One of its lines is unknown, and may be older.
  onDovecot("5.json", "198.51.100.11", { failures: 4 });
  await reports.look();
  const prefixes = banned.map(({ prefix }) => prefix);
  assert.deepEqual(prefixes, ["198.51.100.7/32", "198.51.100.10/32"]);
  assert.deepEqual([readdirSync(directory), new Set(warnings)], [[], new Set(["A report of Fail2ban was dropped."])]);
});

test("while the machine's clock is not trusted, a report has the guard's time, unless it was written before", async (t) => {
  const { reports, report, machine, engine, clock } = taker();
  machine.aheadMs = DAY_MS;
  const ask = t.mock.method(engine, "ask");
  const second = Math.floor(clock.now() / SECOND_MS);
  report("1.json", { lastAt: second + DAY_MS / SECOND_MS });
  report("2.json", { lastAt: second - 5 });
  await reports.look();
  const times = ask.mock.calls.map(({ arguments: [event] }) => event.type === "JAIL_REPORTED" && event.lastAt);
  assert.deepEqual(times, [second * SECOND_MS, (second - 5) * SECOND_MS]);
});

test("a report becomes a ban and is removed, but waits while the database cannot be written", async () => {
  const { reports, report, banned, directory, store, clock } = taker();
  report("1.json");
  store.failing = "commit";
  await reports.look();
  assert.deepEqual([banned.length, readdirSync(directory)], [0, ["1.json"]]);
  store.failing = null;
  clock.advance(2 * SECOND_MS);
  await reports.look();
  const bans = banned.map(({ ip, source, code }) => `${ip} ${source} ${code}`);
  assert.deepEqual([bans, readdirSync(directory)], [["198.51.100.7 fail2ban jail_report"], []]);
});

test("while the database cannot be written, one report is tried at a time", async (t) => {
  const { reports, report, directory, engine, store } = taker();
  for (let i = 1; i <= 5; i++) report(`${i}.json`);
  const ask = t.mock.method(engine, "ask");
  store.failing = "begin";
  await reports.look();
  assert.deepEqual([ask.mock.callCount(), readdirSync(directory).length], [1, 5]);
});

test("an invalid report is dropped and reported; an unfinished one is left for later", async () => {
  const { reports, report, banned, directory, warnings } = taker();
  report("1.json", { ip: "nowhere" });
  writeFileSync(join(directory, ".2"), "{");
  await reports.look();
  assert.deepEqual([banned.length, warnings.length, readdirSync(directory)], [0, 1, [".2"]]);
});

test("20,000 files in the spool cost bounded time, are reported once, and are removed", async () => {
  const { reports, report, directory, banned, warnings } = taker();
  for (let i = 0; i < 20_000; i++) writeFileSync(join(directory, `.${i}`), "");
  const from = performance.now();
  await reports.look();
  const lookMs = performance.now() - from;
  assert.ok(lookMs < patience(1_000), `${lookMs} ms`);
  const left = readdirSync(directory).length;
  assert.ok(left < 20_000, `${left} left`);
  report("1.json");
  while (readdirSync(directory).length >= 4_000) await reports.look();
  assert.ok(!existsSync(join(directory, "1.json")));
  assert.equal(banned.length, 1);
  assert.deepEqual(warnings, ["The directory of Fail2ban's reports holds too many files: most are removed unread."]);
});

test("a bounded number of reports is taken, oldest first; only regular files of a report's size are read", () => {
  const directory = temporaryDirectory();
  const at = (name: string): string => join(directory, name);
  writeFileSync(at("3.json"), "x".repeat(1_100_000));
  writeFileSync(at("1.json"), "one");
  symlinkSync("/etc/hostname", at("2.json"));
  mkdirSync(at("4.json"));
  writeFileSync(at(".5.json"), "unfinished");
  assert.deepEqual(waitingReports(directory, 2), { reports: ["1.json", "2.json"], surplus: [] });
  assert.deepEqual(waitingReports(directory, 9).reports, ["1.json", "2.json", "3.json"]);
  assert.deepEqual(readReport(at("1.json")), { ok: false, reason: "It is not a JSON object." });
  for (const name of ["2.json", "3.json", "4.json", "gone.json"]) {
    const read = readReport(at(name));
    assert.ok(!read.ok && !read.reason.includes("JSON object"), name);
  }
});

test("only part of a directory with too many names is read, and all but the next reports are surplus", () => {
  const directory = temporaryDirectory();
  for (let i = 0; i < 4_100; i++) writeFileSync(join(directory, i % 2 === 0 ? `${i}.json` : `.${i}`), "");
  const { reports, surplus } = waitingReports(directory, 200);
  assert.deepEqual([reports.length, surplus.length], [200, 3_800]);
});
