// Invariant: The keeper mails when the guard stops, and when it is back.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { HandClock } from "../../../../test/kit/engine-kit.ts";
import { patience } from "../../../../test/kit/patience.ts";
import { servedSocket, silent } from "../../../../test/kit/served.ts";
import { noteLogLine, noteProcess } from "../../../../test/kit/supervised-process.ts";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { until } from "../../../../test/kit/until.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { MAY_STAND_IN } from "../../../host/running/runit.ts";
import type { MailAlarm } from "../../../mail/notifiers/alert-mails.ts";
import { repeat } from "../repeat.ts";
import { createAccountsDbWatch, createGuardAlarm, createGuardWatch, guardLooks } from "./guard-looks.ts";

const UP = { up: true, pid: 7 };
const WELL = { services: ["postfix", "dovecot", "rspamd"].map((name) => ({ name, ...UP })), troubles: [] };
const ENDLESS = new Promise<never>(() => undefined);

/** The keeper's checks, in order; each check of the services takes a second. */
function looking(t: TestContext) {
  const layout = temporaryLayout("keeperSocket");
  const clock = new HandClock();
  const counted = { services: 0, mails: 0 };
  const look = (): void => {
    counted.services += 1;
    clock.advance(SECOND_MS);
  };
  const mail = (): Promise<never> => {
    counted.mails += 1;
    return ENDLESS;
  };
  const begin = (): void => {
    let isOver = false;
    t.after(() => (isOver = true));
    const reload = () => Promise.resolve(null);
    const none = (): null => null;
    const others = { services: { look }, lockedBy: none, report: () => WELL, say: none };
    const looks = guardLooks({ layout, clock, mail, reload, retry: reload, language: () => "en", ...others });
    for (const one of looks) void repeat({ ...one, everyMs: 1, look: () => (isOver ? ENDLESS : one.look()) });
  };
  return { layout, counted, begin };
}

test("services are checked while the mail about a stopped guard cannot be queued", async (t) => {
  const { counted, begin } = looking(t);
  begin();
  await until(() => counted.mails > 0);
  const before = counted.services;
  await until(() => counted.services > before + 20);
  assert.equal(counted.mails, 1);
});

test("a keeper that restarts while the guard is down does not report its return", async (t) => {
  const { layout, counted, begin } = looking(t);
  writeFileSync(join(dirname(layout.keeperSocket), "guard-alarm.json"), '{"down":1,"exits":null}');
  begin();
  await until(() => counted.services > 20);
  assert.equal(counted.mails, 0);
});

test("services are checked while the guard hangs", async (t) => {
  const { layout, counted, begin } = looking(t);
  const asking: Socket[] = [];
  await servedSocket((socket) => asking.push(socket), layout.controlSocket);
  begin();
  await until(() => asking.length > 0);
  const before = counted.services;
  await until(() => counted.services > before + 20);
  assert.equal(asking.length, 1, "it is still the first question");
});

const ANSWER_MS = patience(200);

/** A data directory whose supervisor reports this process of ours as the guard. */
function supervisedGuard(t: TestContext) {
  const layout = temporaryLayout();
  const guard = spawn("sleep", ["infinity"]);
  t.after(() => guard.kill("SIGKILL"));
  noteProcess(layout.services, "guard", guard.pid);
  const mark = join(layout.services, "guard", MAY_STAND_IN);
  writeFileSync(mark, "");
  const watch = createGuardWatch(layout, ANSWER_MS);
  /** Returns the processes that this many checks killed. */
  const looks = (count: number) => Array.fromAsync({ length: count }, () => watch.look());
  return { layout, guard, mark, watch, looks };
}

test("a guard that hangs is killed at the third check, and no stand-in replaces it", async (t) => {
  const { layout, guard, mark, looks } = supervisedGuard(t);
  const ended = once(guard, "exit");
  await servedSocket(silent, layout.controlSocket);
  assert.deepEqual(await looks(3), [null, null, guard.pid]);
  assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.ok(!existsSync(mark));
});

test("a guard that hangs is not killed while the mark for a stand-in cannot be removed", async (t) => {
  const { layout, guard, mark, watch, looks } = supervisedGuard(t);
  await servedSocket(silent, layout.controlSocket);
  rmSync(mark);
  // Acts as a read-only disk.
  mkdirSync(mark);
  assert.deepEqual(await looks(2), [null, null]);
  await assert.rejects(watch.look());
  assert.equal(guard.signalCode, null);
});

test("a guard that answers in between, or was replaced by a new one, gets three checks again", async (t) => {
  const { layout, guard, looks } = supervisedGuard(t);
  let answers = false;
  await servedSocket((socket) => {
    if (answers) socket.write('{"ok":true,"result":{"pid":7}}\n');
  }, layout.controlSocket);
  assert.deepEqual(await looks(2), [null, null]);
  answers = true;
  assert.deepEqual(await looks(1), [null]);
  answers = false;
  assert.deepEqual(await looks(2), [null, null]);
  noteProcess(layout.services, "guard", process.pid);
  assert.deepEqual(await looks(2), [null, null]);
  assert.equal(guard.exitCode, null);
});

test("a guard that does not run, or that closes the connection, is left to runsv", async (t) => {
  const { layout, guard, looks } = supervisedGuard(t);
  assert.deepEqual(await looks(4), [null, null, null, null]);
  await servedSocket((socket) => socket.end(), layout.controlSocket);
  assert.deepEqual(await looks(4), [null, null, null, null]);
  assert.equal(guard.signalCode, null);
});

function alarmed() {
  const layout = temporaryLayout("keeperSocket");
  noteLogLine(layout, "guard", "engine.db is damaged.");
  const clock = new HandClock();
  const mails: Parameters<MailAlarm>[0][] = [];
  const others: ReturnType<Parameters<typeof createGuardAlarm>[0]["report"]> = WELL;
  const state: { queueFails: boolean; locked: string | null; others: typeof others } = {
    queueFails: false,
    locked: null,
    others,
  };
  const keeper = () =>
    createGuardAlarm({
      layout,
      clock,
      mail: (alert) => {
        mails.push(alert);
        return Promise.resolve(state.queueFails ? { ok: false, reason: "no queue" } : { ok: true, detail: "" });
      },
      lockedBy: () => state.locked,
      report: () => state.others,
      language: () => "en",
      say: () => undefined,
    });
  let alarm = keeper();
  const startAs = (pid: number): void => noteProcess(layout.services, "guard", pid);
  const after = async (seconds: number, isRunning: boolean): Promise<number> => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(SECOND_MS);
      await alarm(isRunning);
    }
    return mails.length;
  };
  const mailed = (): readonly string[] => mails.map(({ kind, title }) => `${kind}: ${title}`);
  return { after, clock, layout, startAs, mails, mailed, state, restart: () => (alarm = keeper()) };
}

test("a guard that stays down is reported once, with its last log lines, and its return too", async () => {
  const { after, mails, mailed } = alarmed();
  assert.equal(await after(60, true), 0);
  assert.equal(await after(12, false), 0, "a restart takes a while");
  assert.equal(await after(1, false), 1);
  assert.equal(await after(600, false), 1);
  assert.match(mails[0]?.body ?? "", /^ {4}engine\.db is damaged\.$/m);
  assert.equal(await after(1, true), 2);
  assert.deepEqual(mailed(), ["opened: The guard is not running.", "resolved: The guard is running again."]);
  assert.equal(await after(60, true), 2);
});

test("a guard that stays down while the clock is set back is reported all the same", async () => {
  const { after, clock } = alarmed();
  await after(6, false);
  clock.advance(-3_600 * SECOND_MS);
  assert.equal(await after(12, false), 0, "it may be a restart");
  assert.equal(await after(1, false), 1);
});

test("a program whose lock keeps the guard from opening its database is named once", async () => {
  const { after, mails, state } = alarmed();
  state.locked = "pid 7, `web.js`, has locked engine.db since 2026-11-26T07:00:00.000Z. Try: kill 7";
  state.others = { ...WELL, troubles: [{ code: "database_locked", detail: state.locked }] };
  assert.equal(await after(13, false), 1);
  assert.match(mails[0]?.body ?? "", /^Another program prevents its start: pid 7, `web\.js`, has locked .* kill 7\.$/m);
  assert.match(mails[0]?.body ?? "", /users can sign in/);
  assert.doesNotMatch(mails[0]?.body ?? "", /database_locked/);
});

test("mail is said to flow only if nothing that it needs fails, and what else fails is named", async () => {
  const { after, mails, state } = alarmed();
  const silence = { says: "no answer", isBeyondHelp: false };
  const services = WELL.services.map((one) => (one.name === "postfix" ? { ...one, silence } : one));
  state.others = { services, troubles: [{ code: "isolated", detail: "still closed: mail" }] };
  await after(13, false);
  assert.match(mails[0]?.body ?? "", /^ {4}postfix: no answer\n {4}isolated: still closed: mail$/m);
  assert.doesNotMatch(mails[0]?.body ?? "", /users can sign in/);
});

test("a guard that keeps exiting is reported once, although it runs most of the time, and so is the end of that", async () => {
  const { after, startAs, mails, mailed } = alarmed();
  for (let pid = 1; pid < 8; pid++) {
    startAs(pid);
    assert.equal(await after(20, true), 0, "the owner may be trying something");
    await after(2, false);
  }
  for (let pid = 8; pid < 20; pid++) {
    startAs(pid);
    assert.equal(await after(20, true), 1);
    await after(2, false);
  }
  assert.match(mails[0]?.body ?? "", /^ {4}engine\.db is damaged\.$/m);
  assert.equal(await after(13, false), 2, "if it then stays down, that is reported too");
  startAs(20);
  assert.equal(await after(500, true), 2, "while it keeps exiting, it is not back");
  assert.equal(await after(100, true), 4);
  assert.deepEqual(mailed(), [
    "opened: The guard keeps exiting.",
    "opened: The guard is not running.",
    "resolved: The guard is running again.",
    "resolved: The guard is running again.",
  ]);
});

test("a restart of the keeper neither repeats an alert nor loses its end", async () => {
  const { after, startAs, mailed, restart } = alarmed();
  await after(13, false);
  restart();
  assert.equal(await after(60, false), 1);
  restart();
  assert.equal(await after(1, true), 2);
  restart();
  for (let pid = 1; pid < 9; pid++) {
    startAs(pid);
    await after(20, true);
  }
  restart();
  assert.equal(await after(590, true), 3, "it may still keep exiting");
  assert.equal(await after(20, true), 4);
  assert.deepEqual(mailed(), [
    "opened: The guard is not running.",
    "resolved: The guard is running again.",
    "opened: The guard keeps exiting.",
    "resolved: The guard is running again.",
  ]);
});

test("an invalid time in the keeper's record of its alerts counts as missing", async () => {
  const { after, layout, mailed, restart } = alarmed();
  writeFileSync(join(dirname(layout.keeperSocket), "guard-alarm.json"), '{"down":1e300,"exits":null}');
  restart();
  await after(1, true);
  await after(13, false);
  await after(1, true);
  assert.deepEqual(mailed(), ["opened: The guard is not running.", "resolved: The guard is running again."]);
});

test("neither restarts over hours nor short outages are reported", async () => {
  const { after, startAs } = alarmed();
  for (let pid = 1; pid < 30; pid++) {
    startAs(pid);
    assert.equal(await after(120, true), 0);
  }
  for (let i = 0; i < 10; i++) {
    await after(5, false);
    assert.equal(await after(1, true), 0);
  }
});

test("a mail that could not be queued is retried, but not each second", async () => {
  const { after, state } = alarmed();
  state.queueFails = true;
  assert.equal(await after(13, false), 1);
  assert.equal(await after(9, false), 1);
  assert.equal(await after(1, false), 2);
  state.queueFails = false;
  assert.equal(await after(10, false), 3);
  assert.equal(await after(100, false), 3);
});

test("Postfix and Dovecot are reloaded once for each new file, not while it is missing; a failure is retried", async () => {
  const layout = temporaryLayout("accountsDb", "keeperSocket");
  writeFileSync(layout.accountsDb, "first");
  const reloaded: string[] = [];
  let failure: string | null = null;
  const noted = (what: string) => (services: readonly string[]) => {
    reloaded.push(`${what} ${services.join()}`);
    return Promise.resolve(failure);
  };
  const keeper = () => createAccountsDbWatch(layout, { reload: noted("reload"), retry: noted("retry") });
  const look = keeper();
  await look();
  writeFileSync(`${layout.accountsDb}.new`, "second");
  rmSync(layout.accountsDb);
  await look();
  assert.deepEqual(reloaded, []);
  renameSync(`${layout.accountsDb}.new`, layout.accountsDb);
  failure = "postfix could not be reloaded: it is not running";
  await assert.rejects(look(), /^Error: postfix could not be reloaded: it is not running$/);
  failure = null;
  for (let i = 0; i < 2; i++) await look();
  assert.deepEqual(reloaded, ["reload postfix,dovecot", "retry postfix,dovecot"], "the second time only what failed");
  await keeper()();
  assert.equal(reloaded.length, 2);
  writeFileSync(`${layout.accountsDb}.new`, "third");
  renameSync(`${layout.accountsDb}.new`, layout.accountsDb);
  for (let i = 0; i < 2; i++) await keeper()();
  assert.equal(reloaded.length, 3, "it was replaced while no keeper was running");
});
