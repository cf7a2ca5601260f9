// Invariant: The keeper mails when the guard stops, and when it is back.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { SECOND_MS } from "../../../core/time.ts";
import type { AlertMail } from "../../../mail/notifiers/alert-mails.ts";
import { layoutOf, serviceLog } from "../../../settings/layout.ts";
import { GuardAlarm } from "./guard-looks.ts";

function setUp() {
  const layout = layoutOf(temporaryDirectory());
  const log = serviceLog(layout, "guard");
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, "2026-11-21_03:00:01.12345 engine.db is damaged.\n");
  const clock = new HandClock();
  const mails: AlertMail[] = [];
  const state: { queueFails: boolean; taken: string | null } = { queueFails: false, taken: null };
  const alarm = new GuardAlarm({
    layout,
    clock,
    mail: (alert) => {
      mails.push(alert);
      return Promise.resolve(state.queueFails ? { ok: false, reason: "no queue" } : { ok: true, detail: "" });
    },
    takenPort: () => state.taken,
    language: () => "en",
    say: () => undefined,
  });
  const after = async (seconds: number, isRunning: boolean): Promise<number> => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(SECOND_MS);
      await alarm.look(isRunning);
    }
    return mails.length;
  };
  return { after, mails, state };
}

test("a guard that stays down is reported once, with its last log lines, and its return too", async () => {
  const { after, mails } = setUp();
  assert.equal(await after(60, true), 0);
  assert.equal(await after(12, false), 0, "a restart takes a while");
  assert.equal(await after(1, false), 1);
  assert.equal(await after(600, false), 1);
  assert.match(mails[0]?.body ?? "", /^ {4}engine\.db is damaged\.$/m);
  assert.equal(await after(1, true), 2);
  assert.deepEqual(
    mails.map(({ kind, title }) => [kind, title]),
    [
      ["opened", "The guard does not run."],
      ["resolved", "The guard runs again."],
    ],
  );
  assert.equal(await after(60, true), 2);
});

test("a program that holds the guard's port is named, and no one is said to be able to sign in", async () => {
  const { after, mails, state } = setUp();
  state.taken = "port 10025 is in use by nc (pid 7). Try: kill 7";
  assert.equal(await after(13, false), 1);
  assert.match(
    mails[0]?.body ?? "",
    /^Another program prevents its start: port 10025 is in use by nc \(pid 7\)\. .*no one can sign in/m,
  );
  assert.doesNotMatch(mails[0]?.body ?? "", /users can sign in/);
});

test("restarts are not reported", async () => {
  const { after } = setUp();
  for (let i = 0; i < 10; i++) {
    await after(5, false);
    assert.equal(await after(1, true), 0);
  }
});

test("a mail that could not be queued is retried, but not each second", async () => {
  const { after, state } = setUp();
  state.queueFails = true;
  assert.equal(await after(13, false), 1);
  assert.equal(await after(9, false), 1);
  assert.equal(await after(1, false), 2);
  state.queueFails = false;
  assert.equal(await after(10, false), 3);
  assert.equal(await after(100, false), 3);
});
