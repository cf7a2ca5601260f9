import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { corrections } from "./learn-spam.ts";

const NONE = { missed: 0, wrong: 0, users: 0 };

test("both directions are counted, by time, with the older part of the list", () => {
  const list = join(temporaryDirectory(), "corrections");
  assert.deepEqual(corrections({ foreign: list }, 0, 9e12), NONE);
  writeFileSync(`${list}.1`, "100 spam anna@example.org\n200 spam anna@example.org\n");
  writeFileSync(list, "300 ham bea@example.org\n400 ham bea@example.org\nno line\n300 spam\n");
  assert.deepEqual(corrections({ foreign: list }, 200_000, 300_000), { missed: 1, wrong: 1, users: 2 });
  assert.deepEqual(corrections({ foreign: list }, 0, 9e12), { missed: 2, wrong: 2, users: 2 });
});

test("a link is not followed, and a pipe blocks no one", () => {
  const directory = temporaryDirectory();
  const list = join(directory, "corrections");
  writeFileSync(join(directory, "other"), "100 spam anna@example.org\n");
  symlinkSync(join(directory, "other"), list);
  assert.deepEqual(corrections({ foreign: list }, 0, 9e12), NONE);
  rmSync(list);
  execFileSync("mkfifo", [list]);
  assert.deepEqual(corrections({ foreign: list }, 0, 9e12), NONE);
});
