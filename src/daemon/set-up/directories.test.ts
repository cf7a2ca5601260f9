import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { giveTree } from "./directories.ts";

/** chown(2) sets the time of the last change of status, even where it changes no owner. */
const changedAt = (path: string): bigint => statSync(path, { bigint: true }).ctimeNs;

test("a tree is given to its owner, and nothing behind a link in it", () => {
  const top = mkdtempSync(join(tmpdir(), "ghostinbox-tree-"));
  try {
    const within = join(top, "mail", "example.org", "file");
    const outside = join(top, "outside", "deep", "file");
    for (const file of [within, outside]) {
      mkdirSync(join(file, ".."), { recursive: true });
      writeFileSync(file, "");
      utimesSync(file, 1, 1);
    }
    symlinkSync(join(top, "outside"), join(top, "mail", "link"));
    const before = { within: changedAt(within), outside: changedAt(outside) };

    giveTree(join(top, "mail"), { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });

    assert.notEqual(changedAt(within), before.within);
    assert.equal(changedAt(outside), before.outside);
  } finally {
    rmSync(top, { recursive: true });
  }
});
