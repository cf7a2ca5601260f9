import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadSettings } from "../../src/settings/load.ts";
import { settingKeys } from "../../src/settings/schema.ts";

/** A path in the container is another one. */
const ELSEWHERE = ["accounts.follow", "http.address", "mailboxes.dovecot"];

for (const name of ["ghostinbox", "investra"])
  test(`examples/${name}/compose.yaml sets what examples/${name}.toml sets`, () => {
    const fromFile = loadSettings(readFileSync(`examples/${name}.toml`, "utf8"), {});
    const fromCompose = loadSettings(null, variablesOf(readFileSync(`examples/${name}/compose.yaml`, "utf8")));
    assert.ok(fromFile.ok);
    assert.ok(fromCompose.ok, JSON.stringify(fromCompose));
    const others = settingKeys().filter((key) => !ELSEWHERE.includes(key));
    for (const key of others) assert.deepEqual(fromCompose.settings[key], fromFile.settings[key], key);
  });

/** The lines `GHOSTINBOX_…: value`; of `${NAME:-value}` the value. */
function variablesOf(yaml: string): Readonly<Record<string, string>> {
  const lines = yaml.matchAll(/^ +(GHOSTINBOX_\w+): (?:"([^"]*)"|(?:\$\{\w+:-)?(.*?)\}?)$/gm);
  return Object.fromEntries([...lines].map(([, variable = "", quoted, plain = ""]) => [variable, quoted ?? plain]));
}
