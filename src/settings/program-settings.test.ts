import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadValid, settingProblems } from "../../test/kit/loaded-settings.ts";
import { url } from "./kinds/texts.ts";
import {
  EXPORT_KEYS,
  programsToRestart,
  readSettingsFile,
  settingsFile,
  WEB_KEYS,
  waitingForStart,
} from "./program-settings.ts";
import { settingKeys, settingOf, variableOf } from "./schema.ts";

/** Every secret of the schema with a value that is found again, in the file or in the environment. */
const MARK = "s3cr3t";
const secrets = settingKeys().filter((key) => settingOf(key).secret === true);
const valueOf = (key: string): string => `${key === "backup.repository" ? "rest:" : ""}https://${MARK}.example/${MARK}`;
const given = secrets.map((key) => [variableOf(key), valueOf(key)] as const);

for (const [program, keys] of Object.entries({ web: WEB_KEYS, exporter: EXPORT_KEYS })) {
  test(`no secret of the schema reaches the ${program}, however it was set`, () => {
    assert.ok(secrets.length >= 5);
    const file = 'domains = ["example.org"]\n[alerts]\ngotify_token_file = "/root/token"\n';
    const loaded = loadValid(file, Object.fromEntries(given));
    for (const key of secrets) assert.ok(loaded.sources[key].toml.includes(MARK), key);
    assert.ok(!settingsFile(keys, loaded.sources).includes(MARK));
    for (const key of keys) assert.ok(!secrets.some((secret) => secret === key), key);
  });

  test(`the ${program} reads the values in force, from the file and from the environment`, () => {
    const file = 'domains = ["example.org"]\nhttp.names = ["post.example.net"]\nexport.syslog.host = "siem.example"\n';
    const loaded = loadValid(file, { GHOSTINBOX_PORTS__HTTP: "8080", GHOSTINBOX_EXPORT__SYSLOG__PORT: "20514" });
    const read = readSettingsFile(settingsFile(keys, loaded.sources));
    assert.ok(read.ok);
    for (const key of keys) assert.deepEqual(read.settings[key], loaded.settings[key], key);
    assert.equal(read.settings.hostname, "mail.example.org");
  });
}

test("the web may use the default port of a service that uses another one", () => {
  const { sources } = loadValid("ports.login_policy = 10026\nports.http = 10025");
  const read = readSettingsFile(settingsFile(WEB_KEYS, sources));
  assert.equal(read.ok && read.settings["ports.http"], 10_025);
});

test("a setting that takes a URL is a secret: those of receivers hold their keys", () => {
  const urls = settingKeys().filter((key) => settingOf(key).kind.accepts.includes(url.accepts));
  assert.ok(urls.length >= 5);
  for (const key of urls) assert.ok(secrets.includes(key), key);
});

test("an export needs a receiver, and a certificate its key", () => {
  const problems = (toml: string) => settingProblems(`domains = ["example.org"]\n[export.syslog]\n${toml}`).join();
  assert.match(problems("enabled = true\n"), /^export\.syslog\.host must be set too, because export\.syslog\.enabled/);
  assert.match(problems('cert = "/etc/x.pem"\n'), /^export\.syslog\.key must be set too/);
  assert.equal(readSettingsFile("export.syslog.port = 0\n").ok, false);
});

const PROGRAMS = join(import.meta.dirname, "..", "programs");

function keysIn(files: readonly string[], pattern: RegExp): readonly string[] {
  const texts = files.map((file) => readFileSync(join(PROGRAMS, file), "utf8"));
  return texts.flatMap((text) => [...text.matchAll(pattern)].map(([, key = ""]) => key));
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

test("every setting that the web reads restarts it, because it reads none again", () => {
  const keys = keysIn(["web/main.ts", "web/compose.ts"], /settings\["([a-z0-9_.]+)"\]/g);
  assert.ok(keys.length > 3);
  for (const key of keys) assert.ok(programsToRestart([key]).includes("web"), key);
});

const COMPOSE = /^guard\/compose.*\.ts$/;
const composing = readdirSync(PROGRAMS, { encoding: "utf8", recursive: true }).filter((file) => COMPOSE.test(file));

test("a part of the guard that gets all settings of the start reads only those that restart it", () => {
  const again = keysIn(composing, /(\w+)\((?:settingsNow\(\)|now)\)/g);
  const once = keysIn(composing, /(\w+)\(settings\)/g).filter((reader) => !again.includes(reader));
  assert.deepEqual([...new Set(once)].sort(), ["detectorsOf", "proxiedPorts", "proxyAccess"]);
});

test("every setting that the guard does not read again when it reloads restarts it", () => {
  const again = keysIn(composing, /(?:settingsNow|now)\["([a-z0-9_.]+)"\]/g);
  const once = keysIn(composing, /[^.]\bsettings\["([a-z0-9_.]+)"\]/g).filter((key) => !again.includes(key));
  assert.ok(once.length > 3);
  for (const key of once)
    assert.ok(programsToRestart([key]).includes("guard") || waitingForStart([key]).length === 1, key);
});
