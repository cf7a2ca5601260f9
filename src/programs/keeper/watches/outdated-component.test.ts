import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { patience } from "../../../../test/kit/patience.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { replacedSinceStart } from "./watch-components.ts";

/** A service whose process was started an hour ago, and dpkg's files. */
function started(t: TestContext, program = "/bin/sleep") {
  const directory = temporaryDirectory();
  const supervise = join(directory, "services", "postgrey", "supervise");
  mkdirSync(supervise, { recursive: true });
  mkdirSync(join(directory, "info"));
  const child = spawn(program, ["1000"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  writeFileSync(join(supervise, "pid"), `${child.pid}\n`);
  const anHourAgo = Date.now() / 1_000 - 3_600;
  utimesSync(join(supervise, "pid"), anHourAgo, anHourAgo);
  const list = join(directory, "info", "postgrey.list");
  const unpack = (seconds: number): void => {
    writeFileSync(list, "");
    utimesSync(list, anHourAgo + seconds, anHourAgo + seconds);
  };
  const files = { directory, locks: "/proc/locks" };
  return {
    unpack,
    look: (ofPackages?: RegExp) => replacedSinceStart("postgrey", join(directory, "services"), files, ofPackages),
  };
}

test("a package that was unpacked after the start counts, an earlier one does not", (t) => {
  const { unpack, look } = started(t);
  assert.equal(look(), null);
  unpack(-60);
  assert.equal(look(), null);
  unpack(60);
  assert.equal(look(), "package postgrey");
});

test("a future time is ignored: the clock was set back", (t) => {
  const { unpack, look } = started(t);
  unpack(7_200);
  assert.equal(look(), null);
});

test("a replaced program or library of the system counts, other files do not", async (t) => {
  const program = join(temporaryDirectory(), "sleeper");
  copyFileSync("/bin/sleep", program);
  const { look } = started(t, program);
  rmSync(program);
  await t.waitFor(() => assert.equal(look(/sleeper$/), program), { timeout: patience(5_000) });
  assert.equal(look(), null);
});

test("a service that is down is not outdated", () => {
  assert.equal(replacedSinceStart("postgrey", temporaryDirectory()), null);
});
