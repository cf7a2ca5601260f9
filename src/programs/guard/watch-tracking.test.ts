import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { TrackingWatch } from "./watch-machine.ts";

/**
 * The limit belongs to the whole machine: a network namespace can neither have its own nor change it, and a lower one would affect
 * everything else that runs here. So the test writes its own files, in the kernel's form.
 */
function kit() {
  const directory = temporaryDirectory();
  const notices = new NoticeBoard();
  const watch = new TrackingWatch({ notices, directory });
  let now = 0;
  return {
    directory,
    looked(count: number | string, most: number | string): string | undefined {
      writeFileSync(join(directory, "nf_conntrack_count"), `${count}\n`);
      writeFileSync(join(directory, "nf_conntrack_max"), `${most}\n`);
      return this.look();
    },
    look(): string | undefined {
      watch.look((now += 5_000));
      return notices.raised.get("tracking_full");
    },
    soon(): string | undefined {
      watch.look(now + 4_999);
      return notices.raised.get("tracking_full");
    },
  };
}

test("a table that fills up is reported with its command, until a fifth is free again", () => {
  const files = kit();
  assert.equal(files.looked(58_982, 65_536), undefined);
  const full = "It holds 58983 of 65536 connections. Try: sysctl -w net.netfilter.nf_conntrack_max=131072";
  assert.equal(files.looked(58_983, 65_536), full);
  assert.match(files.looked(52_429, 65_536) ?? "", /^It holds 52429 of /);
  assert.equal(files.looked(52_428, 65_536), undefined);
  assert.equal(files.looked(53_000, 65_536), undefined, "it is nine tenths full again");
});

test("the kernel is asked every five seconds", () => {
  const files = kit();
  assert.equal(files.looked(0, 10), undefined);
  writeFileSync(join(files.directory, "nf_conntrack_count"), "10\n");
  assert.equal(files.soon(), undefined);
  assert.match(files.look() ?? "", /^It holds 10 of 10 /);
});

test("a kernel that tracks nothing, or without a limit, is not reported", () => {
  const files = kit();
  assert.equal(files.look(), undefined);
  assert.equal(files.looked(10, 0), undefined);
  assert.equal(files.looked("many", 5), undefined);
  assert.match(files.looked(10, 10) ?? "", /./);
  rmSync(join(files.directory, "nf_conntrack_max"));
  assert.equal(files.look(), undefined);
});

test("this kernel's own files are read", () => {
  const notices = new NoticeBoard();
  new TrackingWatch({ notices }).look();
  assert.equal(notices.raised.size, 0);
});
