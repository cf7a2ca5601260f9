import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { programsToRestart, waitingForStart } from "./program-settings.ts";

const PROGRAMS = join(import.meta.dirname, "..", "programs");

function keysIn(file: string, pattern: RegExp): readonly string[] {
  const text = readFileSync(join(PROGRAMS, file), "utf8");
  return [...text.matchAll(pattern)].map(([, key = ""]) => key);
}

test("a setting that programs reload restarts nothing", () => {
  assert.deepEqual(programsToRestart([]), []);
  assert.deepEqual(programsToRestart(["limits.mail.per_minute", "allow.networks"]), []);
});

test("each program is restarted for the settings that it reads at its start, the guard first", () => {
  assert.deepEqual(programsToRestart(["ports.login_policy"]), ["guard"]);
  assert.deepEqual(programsToRestart(["ports.http"]), ["web"]);
  assert.deepEqual(programsToRestart(["domains"]), ["web"], "the names by which it is called");
  assert.deepEqual(programsToRestart(["http.trusted_proxies"]), ["guard", "web"]);
});

test("every setting that the web reads is known here, since it reads none twice", () => {
  const keys = ["web/main.ts", "web/compose.ts"].flatMap((file) => keysIn(file, /settings\["([a-z0-9_.]+)"\]/g));
  assert.ok(keys.length > 3);
  for (const key of keys) assert.ok(programsToRestart([key]).includes("web"), key);
});

test("every setting that the guard reads, and does not read again when it reloads, is known here", () => {
  const files = readdirSync(join(PROGRAMS, "guard")).filter((name) => /^compose.*\.ts$/.test(name));
  const keysOf = (pattern: RegExp) => files.flatMap((name) => keysIn(`guard/${name}`, pattern));
  const again = keysOf(/(?:inForce|now)\["([a-z0-9_.]+)"\]/g);
  const once = keysOf(/[^.]\bsettings\["([a-z0-9_.]+)"\]/g).filter((key) => !again.includes(key));
  assert.ok(once.length > 3);
  for (const key of once)
    assert.ok(programsToRestart([key]).includes("guard") || waitingForStart([key]).length === 1, key);
});
