import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { installed } from "../../../test/kit/needs.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { setZone } from "../../../test/kit/time-zone.ts";
import { until } from "../../../test/kit/until.ts";
import { layoutOf } from "../../settings/layout.ts";
import { finishEnvironment, pidOf, programEnvironment, runsvdir, writeEnvironment } from "./supervise.ts";

const directory = temporaryDirectory();

test("programs get the settings from the environment, but no password", () => {
  const secrets = { ADMIN_PASSWORD: "secret", ADMIN_PASSWORD_FILE: "/run/secret" };
  const env = { GHOSTINBOX_DOMAIN: "example.org", GHOSTINBOX_ALLOW_REMOVE: "yes", ...secrets, PATH: "/bin" };
  const kept = { GHOSTINBOX_DOMAIN: "example.org", GHOSTINBOX_DATA: "/srv/mail", MALLOC_ARENA_MAX: "2" };
  assert.deepEqual(programEnvironment(layoutOf("/srv/mail"), env), kept);
});

test("variables of an earlier start, even of a killed one, are removed, and other users may not read any", () => {
  const place = join(directory, "environment");
  for (const left of [`${place}.new`, `${place}.old`]) put(join(left, "KILLED"), "");
  writeEnvironment(place, { OLD: "1" });
  writeEnvironment(place, { NEW: "two\nlines" });
  assert.deepEqual(readdirSync(place), ["NEW"]);
  assert.ok(!existsSync(`${place}.old`));
  assert.equal(readFileSync(join(place, "NEW"), "utf8"), "two\0lines");
  assert.equal(statSync(join(place, "NEW")).mode & 0o777, 0o600);
  assert.equal(statSync(place).mode & 0o777, 0o700);
  renameSync(place, `${place}.old`);
  finishEnvironment(place);
  assert.deepEqual(readdirSync(place), ["NEW"], "the power failed between the renames");
  put(join(`${place}.old`, "KILLED"), "");
  finishEnvironment(place);
  assert.deepEqual(readdirSync(place), ["NEW"]);
});

test("runsvdir runs the services, and its exit is noticed", installed("runsvdir"), async (t) => {
  t.after(setZone("Europe/Berlin"));
  const layout = temporaryLayout();
  mkdirSync(join(layout.services, "web"), { recursive: true });
  // Written by a rename, so that the file is always complete.
  const run = "#!/bin/sh\necho $TZ >zone\necho $PPID >new && mv new supervisor\nexec sleep infinity\n";
  writeFileSync(join(layout.services, "web", "run"), run, { mode: 0o755 });
  const { died } = runsvdir(layout);
  assert.ok(statSync(layout.services).mtimeMs <= Date.now() - 1_000, "otherwise runsvdir would wait a second");
  const written = join(layout.services, "web", "supervisor");
  await until(() => existsSync(written) && pidOf(layout.services, "web") !== null);
  assert.equal(readFileSync(join(layout.services, "web", "zone"), "utf8"), "Europe/Berlin\n");
  const runsv = Number(readFileSync(written, "utf8"));
  const above = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${runsv}/status`, "utf8"))?.[1];
  process.kill(Number(above), "SIGKILL");
  assert.equal(await died, "died");
  process.kill(runsv, "SIGTERM");
  await until(() => pidOf(layout.services, "web") === null);
});
