import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { WRITTEN_FIRST } from "../../src/settings/first-variables.ts";
import { settingKeys, variableOf } from "../../src/settings/schema.ts";
import { loadValid } from "../kit/loaded-settings.ts";

/** Paths differ in the container. */
const ELSEWHERE = ["accounts.follow", "http.address", "mailboxes.dovecot"];

for (const name of ["ghostinbox", "investra"])
  test(`examples/${name}/compose.yaml sets what examples/${name}.toml sets`, () => {
    const fromFile = loadValid(readFileSync(`examples/${name}.toml`, "utf8"));
    const fromCompose = loadValid(null, variablesOf(readFileSync(`examples/${name}/compose.yaml`, "utf8")));
    const others = settingKeys().filter((key) => !ELSEWHERE.includes(key));
    for (const key of others) assert.deepEqual(fromCompose.settings[key], fromFile.settings[key], key);
  });

test("compose.yaml passes on what the first start writes into the file; empty counts as not set", () => {
  const passed = variablesOf(readFileSync("compose.yaml", "utf8"));
  assert.deepEqual(Object.keys(passed), WRITTEN_FIRST.map(variableOf));
  const { settings } = loadValid(null, { ...passed, GHOSTINBOX_DOMAIN: "example.org" });
  assert.deepEqual([settings.hostname, settings.profile], ["mail.example.org", "standard"]);
});

/** The values of lines `GHOSTINBOX_…: value`, or the default if the value is `${NAME:-default}`. */
function variablesOf(yaml: string): Readonly<Record<string, string>> {
  const lines = yaml.matchAll(/^ +(GHOSTINBOX_\w+): (?:"([^"]*)"|(?:\$\{\w+:-)?(.*?)\}?)$/gm);
  return Object.fromEntries([...lines].map(([, variable = "", quoted, plain = ""]) => [variable, quoted ?? plain]));
}
