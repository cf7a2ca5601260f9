import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { programEnvironment, startSupervisor, writeEnvironment } from "./supervise.ts";

const directory = temporaryDirectory();

test("programs get the settings of the environment, and no password", () => {
  const env = {
    GHOSTINBOX_DOMAIN: "example.org",
    GHOSTINBOX_ALLOW_REMOVE: "yes",
    ADMIN_PASSWORD: "secret",
    ADMIN_PASSWORD_FILE: "/run/secret",
    PATH: "/bin",
  };
  assert.deepEqual(programEnvironment(layoutOf("/srv/mail"), env), {
    GHOSTINBOX_DOMAIN: "example.org",
    GHOSTINBOX_DATA: "/srv/mail",
    MALLOC_ARENA_MAX: "2",
  });
});

test("variables of an earlier start are removed, and other users may not read them", () => {
  const place = join(directory, "environment");
  writeEnvironment(place, { OLD: "1" });
  writeEnvironment(place, { NEW: "two\nlines" });
  assert.deepEqual(readdirSync(place), ["NEW"]);
  assert.equal(readFileSync(join(place, "NEW"), "utf8"), "two\0lines");
  assert.equal(statSync(join(place, "NEW")).mode & 0o777, 0o600);
  assert.equal(statSync(place).mode & 0o777, 0o700);
});

test("the supervisor need not wait until a directory that was just changed is a second old", async () => {
  const services = join(directory, "services");
  mkdirSync(services);
  const supervisor = startSupervisor(services);
  supervisor.once("spawn", () => supervisor.kill());
  // Fails if runit is not installed.
  await once(supervisor, "exit").catch(() => undefined);
  assert.ok(statSync(services).mtimeMs <= Date.now() - 1_000);
});
