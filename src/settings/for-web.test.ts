import assert from "node:assert/strict";
import { test } from "node:test";
import { url } from "./kinds/texts.ts";
import { loadSettings } from "./load.ts";
import { readWebSettings, settingsForWeb, WEB_KEYS } from "./program-settings.ts";
import { settingKeys, settingOf, variableOf } from "./schema.ts";

/** Every secret of the schema with a value that is found again, in the file or in the environment. */
const MARK = "s3cr3t";
const secrets = settingKeys().filter((key) => settingOf(key).secret === true);
const valueOf = (key: string): string => `${key === "backup.repository" ? "rest:" : ""}https://${MARK}.example/${MARK}`;
const given = secrets.map((key) => [variableOf(key), valueOf(key)] as const);

test("no secret of the schema reaches the web, by which way ever it was set", () => {
  assert.ok(secrets.length >= 5);
  const file = 'domains = ["example.org"]\n[alerts]\ngotify_token_file = "/root/token"\n';
  const loaded = loadSettings(file, Object.fromEntries(given));
  assert.ok(loaded.ok);
  for (const key of secrets) assert.ok(loaded.sources[key].toml.includes(MARK), key);
  assert.ok(!settingsForWeb(loaded.sources).includes(MARK));
  for (const key of WEB_KEYS) assert.ok(!secrets.some((secret) => secret === key), key);
});

test("it reads the values that hold, from the file and from the environment", () => {
  const file = 'domains = ["example.org"]\n[http]\nnames = ["post.example.net"]\n[bans]\nmemory = "3d"\n';
  const loaded = loadSettings(file, { GHOSTINBOX_PORTS__HTTP: "8080", GHOSTINBOX_HTTP__TRUSTED_PROXIES: "10.0.0.1" });
  assert.ok(loaded.ok);
  const read = readWebSettings(settingsForWeb(loaded.sources));
  assert.ok(read.ok);
  for (const key of WEB_KEYS) assert.deepEqual(read.settings[key], loaded.settings[key], key);
  assert.equal(read.settings.hostname, "mail.example.org");
});

test("a setting that takes a URL is a secret: those of receivers hold their keys", () => {
  const urls = settingKeys().filter((key) => settingOf(key).kind.accepts.includes(url.accepts));
  assert.ok(urls.length >= 5);
  for (const key of urls) assert.ok(secrets.includes(key), key);
});
