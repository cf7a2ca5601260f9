import assert from "node:assert/strict";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { accountName, keepRule } from "../../../test/kit/samples.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { nextNight } from "../job.ts";
import { type MailFolders, writeFolderTimes } from "./retention.ts";
import { createRetentionJob, type RetentionSettings, readRetentionRecord, removeOldMail } from "./retention-job.ts";

const ANNA = accountName("anna@example.org");
const SETTINGS = { "retention.mail": [keepRule("Trash 30d")], "retention.hour": 2 };
const RUN = { settings: SETTINGS, inForce: () => SETTINGS };

/** After the first checks, with the folder seen long ago; `first`: the night of the first run. */
async function scene() {
  const layout = temporaryLayout("retentionRecord");
  const clock = new HandClock();
  const runs: number[] = [];
  const state = { fails: false, meanwhile: () => {} };
  const mail: MailFolders = {
    accounts: () => (state.fails ? Promise.reject(new Error("no Dovecot")) : Promise.resolve([ANNA])),
    folders: () => Promise.resolve([{ name: "Trash", guid: "1", mails: 1, bytes: 9 }]),
    cameBefore: () => Promise.resolve({ mails: 1, bytes: 9 }),
    expunge: (_, __, at) => {
      runs.push(at);
      state.meanwhile();
      return Promise.resolve();
    },
  };
  const schedule = createRetentionJob(layout, clock, () => SETTINGS, mail);
  await schedule.look();
  writeFolderTimes(layout.retentionFolders, { [ANNA]: { "1": { rule: "* Trash", since: 0 } } });
  const at = async (ms: number): Promise<number> => {
    clock.advance(ms - clock.now());
    await schedule.look();
    return runs.splice(0).length;
  };
  await at(clock.now());
  return { layout, clock, schedule, at, runs, state, mail, first: nextNight(2, clock.now()) };
}

test("the first run is in the night after the first check, and then each night has one", async () => {
  const { at, clock, layout, first } = await scene();
  assert.ok(first > clock.now() && first <= clock.now() + DAY_MS);
  assert.equal(new Date(first).getHours(), 2);
  assert.equal(await at(clock.now()), 0);
  assert.equal(await at(first - MINUTE_MS), 0);
  assert.equal(await at(first), 1);
  assert.equal(await at(first + HOUR_MS), 0);
  const later = first + 2 * DAY_MS;
  assert.equal(await at(later), 1, "missed nights are made up by one run");
  assert.equal(await at(later + HOUR_MS), 0);
  assert.deepEqual(readRetentionRecord(layout).last, { at: later, mails: 1, bytes: 9 });
});

test("a failure is reported and retried each hour; so are unreadable legal holds", async () => {
  const { at, state, schedule, layout, first } = await scene();
  state.fails = true;
  assert.equal(await at(first), 0);
  assert.deepEqual(schedule.troubles(), [{ code: "retention_failed", detail: "no Dovecot" }]);
  state.fails = false;
  assert.equal(await at(first + 59 * MINUTE_MS), 0);
  writeFileSync(layout.legalHolds, "{");
  assert.equal(await at(first + HOUR_MS), 0);
  assert.match(schedule.troubles()[0]?.detail ?? "", /it is unknown which accounts are under legal hold/);
  writeFileSync(layout.legalHolds, '{"holds":[]}');
  assert.equal(await at(first + 2 * HOUR_MS), 1);
  assert.deepEqual(schedule.troubles(), []);
});

test("a run that cannot be noted is reported, removes nothing, and is repeated an hour later", async () => {
  const { at, layout, state, schedule, first } = await scene();
  // The record can be read, but not replaced: for root, file modes would not prevent it.
  const [directory, away] = [dirname(layout.retentionRecord), `${dirname(layout.retentionRecord)}.away`];
  state.meanwhile = () => {
    renameSync(directory, away);
    writeFileSync(directory, "");
  };
  assert.equal(await at(first), 1);
  rmSync(directory);
  renameSync(away, directory);
  assert.match(schedule.troubles()[0]?.detail ?? "", /^what was removed could not be noted: /);
  assert.equal(await at(first + MINUTE_MS), 0);
  state.meanwhile = () => undefined;
  assert.equal(await at(first + HOUR_MS), 1);
  assert.deepEqual(schedule.troubles(), []);
});

test("a clock that is a year ahead or behind removes nothing, and the time of all folders starts again", async () => {
  for (const byMs of [365 * DAY_MS, -365 * DAY_MS]) {
    const { at, clock, layout, schedule } = await scene();
    const wrong = nextNight(2, clock.now() + byMs);
    assert.equal(await at(wrong), 0);
    assert.match(schedule.troubles()[0]?.detail ?? "", /^the clock went (ahead|back) by \d+ days, to /);
    assert.equal(await at(wrong + DAY_MS - HOUR_MS), 0);
    assert.equal(await at(wrong + DAY_MS), 0, "the clock is trusted, but no folder has been seen for 30 days");
    assert.deepEqual(schedule.troubles(), []);
    assert.equal(readRetentionRecord(layout).last?.at, wrong + DAY_MS);
    const right = nextNight(2, clock.now() - byMs);
    for (let days = 0; days <= 30; days += 1) assert.equal(await at(right + days * DAY_MS), 0, `${days}`);
    assert.equal(await at(right + 31 * DAY_MS), 1);
  }
});

test("if the record is lost, the time of every folder starts again: a clock jump may have gone unnoticed", async () => {
  const { at, clock, layout, first } = await scene();
  rmSync(layout.retentionRecord);
  assert.equal(await at(clock.now()), 0);
  for (let days = 0; days < 30; days += 1) assert.equal(await at(first + days * DAY_MS), 0, `${days}`);
  assert.equal(await at(first + 30 * DAY_MS), 1);
});

test("a manual run while the clock is wrong removes nothing, and marks the clock as trusted", async () => {
  const { at, clock, layout, mail, runs, schedule } = await scene();
  const wrong = clock.now() + 365 * DAY_MS;
  assert.equal((await removeOldMail(layout, { ...RUN, now: wrong, mail })).mails, 0);
  assert.equal(await at(clock.now() + MINUTE_MS), 0);
  assert.equal(schedule.troubles().length, 1);
  assert.equal((await removeOldMail(layout, { ...RUN, now: clock.now(), mail })).mails, 0);
  assert.deepEqual([runs, schedule.troubles()], [[], []]);
});

test("without readable settings nothing is removed", async () => {
  const { layout, clock, mail } = await scene();
  rmSync(layout.retentionRecord);
  let settings: RetentionSettings | null = null;
  const schedule = createRetentionJob(layout, clock, () => settings, mail);
  assert.equal(schedule.look(), null);
  settings = SETTINGS;
  assert.equal(schedule.look(), null);
  assert.equal(readRetentionRecord(layout).since, clock.now());
});

test("a run removes nothing by settings that are no longer in force", async () => {
  const { layout, clock, mail, runs, first } = await scene();
  let settings: RetentionSettings = SETTINGS;
  const cameBefore: MailFolders["cameBefore"] = (...of) => {
    settings = { ...SETTINGS, "retention.mail": [] };
    return mail.cameBefore(...of);
  };
  const schedule = createRetentionJob(layout, clock, () => settings, { ...mail, cameBefore });
  clock.advance(first - clock.now());
  await schedule.look();
  assert.deepEqual(runs, []);
  assert.equal(readRetentionRecord(layout).last?.at, first);
});
