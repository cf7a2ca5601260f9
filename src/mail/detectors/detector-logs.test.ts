import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { engineOnMemory, HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { patience } from "../../../test/kit/patience.ts";
import { net } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { columnOf } from "../../../test/kit/test-database.ts";
import { parseIp } from "../../core/net/ip.ts";
import { instant, MINUTE_MS } from "../../core/time.ts";
import { createLogFollowers } from "../logs/followed-logs.ts";
import { createUnreadWatch, type Detector, detectorLogs, detectorsOf } from "./detector-logs.ts";

/** Reads `attack 198.51.100.7 SECONDS`: that many seconds ago by the hand clock. */
function following(t: TestContext) {
  const { engine, db, sqlite, clock, store, notices } = engineOnMemory();
  const file = join(temporaryDirectory(), "eve.json");
  writeFileSync(file, "");
  const warned: string[] = [];
  const log = { info: assert.fail, error: assert.fail, warn: (says: string) => warned.push(says) };
  const began = clock.now();
  clock.advance(60_000);
  const detector: Detector = {
    name: "ids:suricata",
    file,
    limit: 3,
    windowMs: 10 * MINUTE_MS,
    banMs: 30 * MINUTE_MS,
    read: (line) => {
      const [, address = "", seconds = ""] = /^attack (\S+) (\d+)$/.exec(line) ?? [];
      const ip = parseIp(address);
      return ip === null ? null : { ip, at: instant(began + 1_000 * Number(seconds)), text: `1 ${line}` };
    },
  };
  const start = () => {
    const watch = createLogFollowers(detectorLogs([detector], { engine, clock, log }), { positions: sqlite, log });
    watch.start();
    t.after(() => watch.stop());
    return watch;
  };
  const reasons = "SELECT reason FROM event WHERE type IN ('JAIL_REPORTED', 'SPARED') ORDER BY id";
  const banned = (network: string) => sqlite.ban(net(network));
  const wait = (expected: readonly string[]) =>
    t.waitFor(() => assert.deepEqual(columnOf(db, reasons), expected), { timeout: patience(10_000) });
  return { file, start, wait, banned, warned, clock, store, notices, db };
}

test("alerts are counted over their window, and the one that reaches the limit causes a ban", async (t) => {
  const { file, start, wait, banned, clock } = following(t);
  const first = start();
  appendFileSync(file, "attack 198.51.100.7 1\nnothing\n");
  await wait(["below_limit"]);
  await first.stop();
  // Another run of the guard continues where that one ended.
  start();
  appendFileSync(file, "attack 198.51.100.7 2\n");
  await wait(["below_limit", "below_limit"]);
  assert.equal(banned("198.51.100.7"), null);
  renameSync(file, `${file}.1`);
  writeFileSync(file, "attack 198.51.100.7 3\n");
  await wait(["below_limit", "below_limit", "intrusion_report"]);
  const ban = banned("198.51.100.7");
  assert.deepEqual([ban?.code, ban?.source, ban?.offences], ["intrusion_report", "engine", 1]);
  assert.equal((ban?.expiresAt ?? 0) - clock.now(), 30 * MINUTE_MS);
});

test("alerts that were decided on and come again, as after a kill, count once", async (t) => {
  const { file, start, wait, banned, db } = following(t);
  const first = start();
  appendFileSync(file, "attack 198.51.100.7 1\nattack 198.51.100.7 2\n");
  await wait(["below_limit"]);
  await first.stop();
  db.exec("UPDATE log_position SET offset = 0");
  start();
  await wait(["below_limit", "report_seen"]);
  assert.equal(banned("198.51.100.7"), null);
});

test("lines wait while the database cannot be written", async (t) => {
  const { file, start, wait, clock, store, notices } = following(t);
  start();
  store.failing = "commit";
  appendFileSync(file, "attack 198.51.100.7 1\n");
  await t.waitFor(() => assert.ok(notices.raised.has("database_unwritable")), { timeout: patience(10_000) });
  store.failing = null;
  clock.advance(60_000);
  await wait(["below_limit"]);
});

test("a storm of addresses is bounded and reported", async (t) => {
  const { file, start, wait, warned } = following(t);
  start();
  const storm = Array.from({ length: 300 }, (_, i) => `attack 198.51.${i >> 8}.${i & 255} 1\n`);
  appendFileSync(file, storm.join(""));
  await wait(Array<string>(200).fill("below_limit"));
  assert.deepEqual(warned, ["A detector reports many addresses at once; only some are recorded."]);
});

test("a log that is missing or unreadable is listed as failing until it can be read again", async (t) => {
  const { file, start, warned } = following(t);
  const known = (watch: ReturnType<typeof start>, failing: RegExp): Promise<void> =>
    t.waitFor(() => assert.match(watch.failing().get(file) ?? "", failing), { timeout: patience(10_000) });
  const first = start();
  renameSync(file, `${file}.1`);
  await known(first, /eve\.json does not exist$/);
  await first.stop();
  renameSync(`${file}.1`, `${file}.elsewhere`);
  const second = start();
  await known(second, /^ENOENT.*eve\.json/);
  assert.deepEqual(warned, []);
  mkdirSync(file);
  await known(second, /eve\.json is not a/);
  assert.deepEqual(warned, ["A log cannot be read; retrying."]);
  rmdirSync(file);
  writeFileSync(file, "");
  await known(second, /^$/);
});

test("a log that cannot be read for five minutes raises a notice until it can be read again", () => {
  const [clock, notices] = [new HandClock(), new NoticeBoard()];
  let failing: ReadonlyMap<string, string> = new Map();
  const { look } = createUnreadWatch(() => failing, clock, notices);
  const after = (ms: number, now: readonly string[]): string | undefined => {
    clock.advance(ms);
    failing = new Map(now.map((why, i) => [`log ${i}`, why]));
    look();
    return notices.raised.get("detector_unread");
  };
  assert.equal(after(0, ["EACCES"]), undefined);
  assert.equal(after(5 * MINUTE_MS - 1, ["EACCES"]), undefined);
  assert.equal(after(1, ["EACCES", "ENOENT"]), "EACCES", "another log may be rotated now");
  assert.equal(after(5 * MINUTE_MS, ["EACCES", "ENOENT"]), "EACCES; ENOENT");
  assert.equal(after(1, ["ENOENT", "EACCES"]), "ENOENT; EACCES", "another reason, but still unread");
  assert.equal(after(1, []), undefined);
  assert.equal(after(1, ["EACCES"]), undefined, "the five minutes start again");
});

test("a detector is followed if its file is set, with its own limits", () => {
  assert.deepEqual(detectorsOf(settingsWith()), []);
  const toml =
    '[detection.suricata]\nfile = "/var/log/suricata/eve.json"\nseverity = 1\n[detection.psad]\nfile = "/var/log/psad.log"\ndanger_level = 5\nmaxretry = 2\n';
  const [suricata, psad, ...more] = detectorsOf(settingsWith(toml));
  assert.deepEqual(more, []);
  const { read: _, ...eve } = suricata ?? assert.fail();
  const file = "/var/log/suricata/eve.json";
  assert.deepEqual(eve, { name: "ids:suricata", file, limit: 3, windowMs: 600_000, banMs: 1_800_000 });
  assert.deepEqual([psad?.name, psad?.file, psad?.limit], ["ids:psad", "/var/log/psad.log", 2]);
  const scan =
    "2026-11-20T08:15:00Z mail psad: scan detected 198.51.100.7 -> 203.0.113.25 tcp: [1-9] DL: 4 total scan dsts: 1";
  assert.equal(psad?.read(scan, instant(0)), null);
  assert.equal(psad?.read(scan.replace("DL: 4", "DL: 5"), instant(0))?.ip, "198.51.100.7");
});
