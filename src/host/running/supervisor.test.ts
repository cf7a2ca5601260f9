import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { layoutOf } from "../../settings/layout.ts";
import { runsvdir } from "./supervise.ts";
import { supervised } from "./supervised.ts";

test("runsvdir runs the services, and its end is noticed", { skip: lacking({ installed: ["runsvdir"] }) }, async () => {
  const layout = layoutOf(temporaryDirectory());
  mkdirSync(join(layout.services, "x"), { recursive: true });
  // Renamed, so that the file is always complete.
  const run = "#!/bin/sh\necho $PPID >../new && mv ../new ../supervisor\nexec sleep infinity\n";
  writeFileSync(join(layout.services, "x", "run"), run, { mode: 0o755 });
  const { died } = runsvdir(layout);
  const written = join(layout.services, "supervisor");
  await until(() => existsSync(written) && typeof supervised(layout.services, "x")?.pid === "number");
  const runsv = Number(readFileSync(written, "utf8"));
  const above = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${runsv}/status`, "utf8"))?.[1];
  process.kill(Number(above), "SIGKILL");
  assert.equal(await died, "died");
  process.kill(runsv, "SIGTERM");
  await until(() => supervised(layout.services, "x")?.pid === null);
});
