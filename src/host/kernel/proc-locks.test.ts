import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { lockDevice, parseFileLocks } from "./proc-locks.ts";

const LOCKS = `1: FLOCK  ADVISORY  WRITE 21391 fe:00:15345958 0 EOF
2: POSIX  ADVISORY  WRITE 812 fe:00:77 120 120
2: -> POSIX  ADVISORY  WRITE 900 fe:00:77 120 120
3: POSIX  ADVISORY  READ 813 fe:00:77 123 123
4: POSIX  ADVISORY  WRITE 814 00:1b:78 0 EOF
5: OFDLCK ADVISORY  WRITE -1 fe:00:79 0 EOF
6: POSIX  ADVISORY  WRITE 0 fe:00:79 0 EOF
`;

test("lists the locks that a process or an open file holds, not those it waits for", () => {
  const endless = { first: 0, last: Number.POSITIVE_INFINITY };
  assert.deepEqual(parseFileLocks(LOCKS), [
    { pid: 812, isExclusive: true, device: "fe:00", inode: 77, first: 120, last: 120 },
    { pid: 813, isExclusive: false, device: "fe:00", inode: 77, first: 123, last: 123 },
    { pid: 814, isExclusive: true, device: "00:1b", inode: 78, ...endless },
    { pid: null, isExclusive: true, device: "fe:00", inode: 79, ...endless },
  ]);
});

test("a device number is written as the kernel writes it", () => {
  assert.deepEqual([0xfe00, 0x1b, 0x10_0801, 0x801].map(lockDevice), ["fe:00", "00:1b", "08:101", "08:01"]);
});

test("never throws, and a truncated line is skipped or gives a prefix of its last number", () => {
  const line = "2: POSIX  ADVISORY  WRITE 812 fe:00:77 120 120";
  for (let cut = 0; cut < line.length; cut++)
    for (const { pid, first, last } of parseFileLocks(line.slice(0, cut)))
      assert.ok(pid === 812 && first === 120 && last <= 120);
  fc.assert(fc.property(fc.string({ unit: ANY_CHARACTER }), (text) => parseFileLocks(text).length === 0));
});
