import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { SECOND_MS } from "../../core/time.ts";
import { layoutOf } from "../../settings/layout.ts";
import { DiskWatch, type Space } from "./watch-machine.ts";

const ROOM: Space = { bsize: 4_096, bavail: 500_000, files: 1_000_000, ffree: 500_000 };

const RESERVED = (): number => 50 * 1024 * 1024;

function setUp() {
  const layout = layoutOf(temporaryDirectory());
  mkdirSync(layout.mail);
  const [clock, notices] = [new HandClock(), new NoticeBoard()];
  const disks: Record<string, Space> = {};
  const watch = new DiskWatch({
    layout,
    clock,
    notices,
    reservedBytes: RESERVED,
    space: (path) => disks[path] ?? ROOM,
  });
  const look = (path: string, space: Partial<Space>): string | undefined => {
    disks[path] = { ...ROOM, ...space };
    clock.advance(5 * SECOND_MS);
    watch.look();
    return notices.raised.get("disk_nearly_full") ?? notices.raised.get("disk_full");
  };
  return { layout, watch, look };
}

test("a disk with space is not reported; one at twice Postfix's reserve is, until there is space again", () => {
  const { layout, watch, look } = setUp();
  assert.equal(look(layout.data, {}), undefined);
  assert.equal(
    look(layout.data, { bavail: 25_000 }),
    `97 MB are left below ${layout.data}; below 50 MB mail is refused`,
  );
  assert.equal(look(layout.data, { bavail: 26_000 }), undefined);
  assert.equal(watch.lacksRoom, false);
});

test("if the mailboxes have a separate disk, mail must wait before it is full: Postfix checks only its queue", () => {
  const { layout, watch, look } = setUp();
  look(layout.data, { bavail: 12_000 });
  assert.equal(watch.lacksRoom, false);
  look(layout.data, {});
  assert.match(look(layout.mail, { bavail: 13_000 }) ?? "", /^50 MB are left below .*mail;/);
  assert.equal(watch.lacksRoom, false);
  look(layout.mail, { bavail: 12_000 });
  assert.equal(watch.lacksRoom, true);
  assert.equal(look(layout.mail, {}), undefined);
  assert.equal(watch.lacksRoom, false);
});

test("when inodes run out, there is first a notice, and then mail must wait", () => {
  const { layout, watch, look } = setUp();
  assert.match(look(layout.mail, { ffree: 19_000 }) ?? "", /^19000 inodes are left below .*mail/);
  assert.equal(watch.lacksRoom, false);
  assert.match(look(layout.mail, { ffree: 999 }) ?? "", /^999 inodes/);
  assert.equal(watch.lacksRoom, true);
  assert.equal(look(layout.mail, {}), undefined);
  assert.equal(watch.lacksRoom, false);
  const small = { files: 10_000, ffree: 2_000 };
  assert.match(look(layout.mail, small) ?? "", /^2000 inodes/, "reported before mail is refused, on a small disk too");
  assert.equal(watch.lacksRoom, false);
  assert.equal(look(layout.mail, {}), undefined);
  assert.equal(look(layout.data, { files: 0, ffree: 0 }), undefined, "this file system does not count them");
  assert.equal(watch.lacksRoom, false);
});

test("checks the real disk at most every five seconds", () => {
  const clock = new HandClock();
  const notices = new NoticeBoard();
  let looks = 0;
  const layout = layoutOf(temporaryDirectory());
  const space = (): Space => {
    looks += 1;
    return ROOM;
  };
  const watch = new DiskWatch({ layout, clock, notices, reservedBytes: RESERVED, space });
  watch.look();
  clock.advance(4 * SECOND_MS);
  watch.look();
  assert.equal(looks, 1);
  new DiskWatch({ layout, clock, notices, reservedBytes: RESERVED }).look();
});

test("a read-only file system is reported with its device and the command, until it can be written", () => {
  const layout = layoutOf(temporaryDirectory());
  const [clock, notices] = [new HandClock(), new NoticeBoard()];
  let options = "rw,errors=remount-ro";
  const mounts = (): string => `31 22 7:0 / ${layout.data} rw - ext4 /dev/sdb1 ${options}\n`;
  const watch = new DiskWatch({ layout, clock, notices, reservedBytes: RESERVED, space: () => ROOM, mounts });
  const reported = (): string | undefined => {
    clock.advance(5 * SECOND_MS);
    watch.look();
    return notices.raised.get("disk_read_only");
  };
  assert.equal(reported(), undefined);
  options += ",emergency_ro";
  const where = `${layout.data} (/dev/sdb1, ext4)`;
  assert.equal(
    reported(),
    `${layout.data} is on ${where}, which is read-only. Try: mount -o remount,rw ${layout.data}`,
  );
  options = "rw";
  assert.equal(reported(), undefined);
});
