import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { CONTENT_USERS, layoutOf } from "../../settings/layout.ts";
import { rspamdService } from "./rspamd-conf.ts";

const skip = lacking({ root: true, users: [CONTENT_USERS.rspamd] });

test("processes that outlive Rspamd's main process are ended, even if an update has replaced its program", {
  skip,
}, async (t) => {
  const [service, elsewhere] = [temporaryDirectory(), temporaryDirectory()];
  for (const directory of [service, elsewhere]) chmodSync(directory, 0o755);
  const program = join(service, "rspamd");
  copyFileSync("/bin/sleep", program);
  const [left, other] = [service, elsewhere].map((cwd) =>
    spawn(program, ["60"], { cwd, ...userIds(CONTENT_USERS.rspamd) }),
  );
  assert.ok(left && other);
  t.after(() => [left, other].map((one) => one.kill("SIGKILL")));
  const ended = once(left, "exit");
  await Promise.all([left, other].map(async (one) => once(one, "spawn")));
  rmSync(program);
  const { finish = [] } = rspamdService(layoutOf(service));
  execFileSync("sh", ["-c", finish.join("\n")], { cwd: service });
  assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.equal(other.exitCode ?? other.signalCode, null);
});
