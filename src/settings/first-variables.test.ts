import assert from "node:assert/strict";
import { test } from "node:test";
import { loadValid } from "../../test/kit/loaded-settings.ts";
import { takenOver } from "./first-variables.ts";
import type { Environment } from "./load.ts";

const GIVEN = { GHOSTINBOX_DOMAIN: "example.org", GHOSTINBOX_PORTS__SMTP: "2525" };
const FILE = 'domains = ["example.net"]\n';

function domains(text: string | null, env: Environment) {
  const loaded = loadValid(text, env);
  const { domains: values, "ports.smtp": port } = loaded.settings;
  return { domains: values, port, from: loaded.sources.domains.from };
}

test("a variable that the first start wrote into the file counts only if the file does not set it", () => {
  const first = takenOver(GIVEN, {}, ["GHOSTINBOX_DOMAIN"]);
  assert.deepEqual(first, { GHOSTINBOX_FIRST_DOMAIN: "example.org", GHOSTINBOX_PORTS__SMTP: "2525" });
  assert.deepEqual(domains(FILE, first), { domains: ["example.net"], port: 2525, from: "file" });
  assert.deepEqual(domains("", first), { domains: ["example.org"], port: 2525, from: "env" });
  assert.deepEqual(domains(null, first).domains, ["example.org"]);
});

test("a profile that the file has taken over ends with its line there", () => {
  const first = takenOver({ ...GIVEN, GHOSTINBOX_PROFILE: "small" }, {}, ["GHOSTINBOX_DOMAIN", "GHOSTINBOX_PROFILE"]);
  const profile = (text: string): string =>
    loadValid(FILE + text, takenOver({ GHOSTINBOX_PROFILE: "small" }, first)).settings.profile;
  assert.deepEqual(['profile = "small"', "", 'profile = "standard"'].map(profile), ["small", "standard", "standard"]);
});

test("a restart with the same environment, or without it, changes nothing; another value wins over the file", () => {
  const first = takenOver(GIVEN, {}, ["GHOSTINBOX_DOMAIN"]);
  assert.deepEqual(takenOver(GIVEN, first), first);
  assert.deepEqual(takenOver({}, first), { GHOSTINBOX_FIRST_DOMAIN: "example.org" });
  assert.deepEqual(domains(FILE, takenOver({ GHOSTINBOX_DOMAIN: "example.com" }, first)).domains, ["example.com"]);
  assert.deepEqual(domains(FILE, takenOver(GIVEN, {})).domains, ["example.org"], "the file was there before");
});
