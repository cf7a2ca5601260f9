import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import type { Audit } from "../../core/events/command.ts";
import { DAY_MS, instant, later, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { Jump } from "../../host/machine/clock.ts";
import { createClockWatch, createDiskWatch, createTrackingWatch, type Space } from "./watch-machine.ts";

const SINCE = instant(Date.UTC(2026, 10, 21, 6));

function jumpBy(byMs: number): Jump {
  return { byMs, since: SINCE, acceptedAt: later(SINCE, 5 * MINUTE_MS) };
}

function clockKit() {
  const state: { jump: Jump | null; accepted: number } = { jump: null, accepted: 0 };
  const recorded: Audit[] = [];
  const done = { restarts: 0, warned: 0 };
  const notices = new NoticeBoard();
  const watch = createClockWatch({
    clock: { jump: () => state.jump, accepted: () => state.accepted },
    engine: { audit: (audit) => Promise.resolve(audit !== null && recorded.push(audit) > 0) },
    notices,
    log: { info: assert.fail, warn: () => void (done.warned += 1), error: assert.fail },
    restart: () => void (done.restarts += 1),
  });
  return { state, watch, notices, done, subjects: () => recorded.map(({ subject }) => subject) };
}

test("a jump is reported with its end, recorded once, and cleared once the clock is back", () => {
  const { state, watch, notices, subjects, done } = clockKit();
  watch();
  assert.equal(notices.raised.size, 0);
  state.jump = jumpBy(DAY_MS);
  for (let i = 0; i < 3; i++) watch();
  const until = "the guard keeps using the old time until 2026-11-21T06:05:00.000Z. Try: timedatectl set-ntp true";
  assert.equal(notices.raised.get("clock_jumped"), `It was set ahead by 1d at 2026-11-21T06:00:00.000Z; ${until}`);
  state.jump = jumpBy(-61_400);
  watch();
  assert.match(notices.raised.get("clock_jumped") ?? "", /^It was set back by 61s at /);
  state.jump = null;
  for (let i = 0; i < 3; i++) watch();
  assert.ok(!notices.raised.has("clock_jumped"));
  const set = "The machine's clock was set";
  assert.deepEqual(subjects(), [`${set} ahead by 1d`, `${set} back by 61s`, `${set} back by 61s, and it came back`]);
  assert.equal(done.restarts, 0);
});

for (const byMs of [DAY_MS, -DAY_MS])
  test(`a jump by ${byMs} ms that is trusted restarts the guard ${byMs < 0 ? "once" : "never"}`, () => {
    const restarts = byMs < 0 ? 1 : 0;
    const { state, watch, subjects, done } = clockKit();
    state.jump = jumpBy(byMs);
    watch();
    state.jump = null;
    state.accepted = 1;
    watch();
    assert.match(subjects()[1] ?? "", /(ahead|back) by 1d, and it is trusted now$/);
    assert.deepEqual(done, { restarts, warned: restarts });
  });

/**
 * The limit belongs to the whole machine: a network namespace can neither have its own nor change it, and a lower one would affect
 * everything else that runs here. So the test writes its own files, in the kernel's form.
 */
function tracking() {
  const directory = temporaryDirectory();
  const notices = new NoticeBoard();
  const watch = createTrackingWatch(notices, directory);
  return {
    directory,
    looked(count: number | string, most: number | string): string | undefined {
      writeFileSync(join(directory, "nf_conntrack_count"), `${count}\n`);
      writeFileSync(join(directory, "nf_conntrack_max"), `${most}\n`);
      return this.look();
    },
    look(): string | undefined {
      watch();
      return notices.raised.get("tracking_full");
    },
  };
}

test("a table that fills up is reported with its command, until a fifth is free again", () => {
  const files = tracking();
  assert.equal(files.looked(58_982, 65_536), undefined);
  const full = "It holds 58983 of 65536 connections. Try: sysctl -w net.netfilter.nf_conntrack_max=131072";
  assert.equal(files.looked(58_983, 65_536), full);
  assert.match(files.looked(52_429, 65_536) ?? "", /^It holds 52429 of /);
  assert.equal(files.looked(52_428, 65_536), undefined);
  assert.equal(files.looked(53_000, 65_536), undefined, "it is nine tenths full again");
});

test("a kernel that tracks nothing, or without a limit, is not reported", () => {
  const files = tracking();
  assert.equal(files.look(), undefined);
  assert.equal(files.looked(10, 0), undefined);
  assert.equal(files.looked("many", 5), undefined);
  assert.match(files.looked(10, 10) ?? "", /^It holds 10 of 10 /);
  rmSync(join(files.directory, "nf_conntrack_max"));
  assert.equal(files.look(), undefined);
});

const ROOM: Space = { bsize: 4_096, bavail: 500_000, files: 1_000_000, ffree: 500_000 };

/** A disk mounted with these options. */
function setUp(options: () => string = () => "rw") {
  const layout = temporaryLayout();
  mkdirSync(layout.mail);
  const [clock, notices] = [new HandClock(), new NoticeBoard()];
  const parts = { layout, clock, notices, reservedBytes: () => 50 * 1024 * 1024 };
  const disks: Record<string, Space> = {};
  const asked: string[] = [];
  const space = (path: string): Space => {
    asked.push(path);
    return disks[path] ?? ROOM;
  };
  const mounts = (): string => `31 22 7:0 / ${layout.data} rw - ext4 /dev/sdb1 ${options()}\n`;
  const watch = createDiskWatch({ ...parts, space, mounts });
  const look = (path: string, space: Partial<Space>): string | undefined => {
    disks[path] = { ...ROOM, ...space };
    clock.advance(5 * SECOND_MS);
    watch.look();
    return notices.raised.get("disk_nearly_full") ?? notices.raised.get("disk_full");
  };
  return { layout, clock, notices, parts, asked, watch, look };
}

test("a disk with space is not reported; one at twice Postfix's reserve is, until there is space again", () => {
  const { layout, watch, look } = setUp();
  assert.equal(look(layout.data, {}), undefined);
  const says = `97 MB are left below ${layout.data}; below 50 MB mail is refused. Try: du -xDh --max-depth=2 ${layout.data} | sort -h | tail`;
  assert.equal(look(layout.data, { bavail: 25_000 }), says);
  assert.equal(watch.lacksRoomToQueue(), true);
  assert.equal(look(layout.data, { bavail: 26_000 }), undefined);
  assert.deepEqual([watch.lacksRoom(), watch.lacksRoomToQueue()], [false, false]);
});

test("if the mailboxes have a separate disk, mail must wait before it is full: Postfix checks only its queue", () => {
  const { layout, watch, notices, look } = setUp();
  look(layout.data, { bavail: 12_000 });
  assert.equal(watch.lacksRoom(), false);
  const raised = ["disk_full", "disk_nearly_full"];
  assert.deepEqual([...notices.raised.keys()].toSorted(), raised, "a full disk does not resolve the alert before it");
  look(layout.data, {});
  assert.match(look(layout.mail, { bavail: 13_000 }) ?? "", /^50 MB are left below .*mail;/);
  assert.deepEqual([watch.lacksRoom(), watch.lacksRoomToQueue()], [false, false]);
  look(layout.mail, { bavail: 12_000 });
  assert.equal(watch.lacksRoom(), true);
  assert.equal(look(layout.mail, {}), undefined);
  assert.equal(watch.lacksRoom(), false);
});

test("when inodes run out, there is first a notice, and then mail must wait", () => {
  const { layout, watch, look } = setUp();
  assert.match(
    look(layout.mail, { ffree: 19_000 }) ?? "",
    /^19000 inodes are left below .*mail.* Try: du --inodes -xD /,
  );
  assert.equal(watch.lacksRoom(), false);
  assert.match(look(layout.mail, { ffree: 999 }) ?? "", /^999 inodes/);
  assert.equal(watch.lacksRoom(), true);
  assert.equal(look(layout.mail, {}), undefined);
  assert.equal(watch.lacksRoom(), false);
  const small = { files: 10_000, ffree: 2_000 };
  assert.match(look(layout.mail, small) ?? "", /^2000 inodes/, "reported before mail is refused, on a small disk too");
  assert.equal(watch.lacksRoom(), false);
  assert.equal(look(layout.mail, {}), undefined);
  assert.equal(look(layout.data, { files: 0, ffree: 0 }), undefined, "this file system does not count them");
  assert.equal(watch.lacksRoom(), false);
});

test("checks the real disk at most every five seconds", () => {
  const { layout, clock, parts, asked, watch } = setUp();
  watch.look();
  clock.advance(4 * SECOND_MS);
  watch.look();
  assert.deepEqual(asked, [layout.data, layout.mail]);
  createDiskWatch(parts).look();
});

test("a read-only file system is reported with its device and the command, until it can be written", () => {
  let options = "rw,errors=remount-ro";
  const { layout, notices, look } = setUp(() => options);
  const reported = (): string | undefined => {
    look(layout.data, {});
    return notices.raised.get("disk_read_only");
  };
  assert.equal(reported(), undefined);
  options += ",emergency_ro";
  const where = `${layout.data} (/dev/sdb1, ext4)`;
  const says = `${layout.data} is on ${where}, which is read-only. Try: mount -o remount,rw ${layout.data}`;
  assert.equal(reported(), says);
  options = "rw";
  assert.equal(reported(), undefined);
});
