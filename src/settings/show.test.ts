import assert from "node:assert/strict";
import { test } from "node:test";
import { loadValid } from "../../test/kit/loaded-settings.ts";
import { settingKeys } from "./schema.ts";
import { overridesOf, printSettings, shownValue, showSettings } from "./show.ts";

const loaded = loadValid(`domains = ["example.org"]\nbans.ladder = ["60m"]`, { GHOSTINBOX_PORTS__HTTP: "3001" });

test("every setting is shown with its source", () => {
  const shown = new Map(showSettings(loaded.sources).map(({ key, ...line }) => [key, line]));
  assert.equal(shown.size, settingKeys().length);
  assert.deepEqual(shown.get("domains"), { value: `["example.org"]`, from: "file", line: 1 });
  assert.deepEqual(shown.get("hostname"), { value: `"mail.example.org"`, from: "default", line: null });
  assert.deepEqual(shown.get("bans.ladder"), { value: `["1h"]`, from: "file", line: 2 });
  assert.deepEqual(shown.get("ports.http"), { value: "3001", from: "GHOSTINBOX_PORTS__HTTP", line: null });
});

test("a value of the profile is distinguished from a default and from the owner's value", () => {
  const small = loadValid('domains = ["example.org"]\nprofile = "small"\nspam.processes = 3');
  const printed = printSettings(showSettings(small.sources));
  assert.match(printed, /^fail2ban\.enabled = false {2}# profile small$/m);
  assert.match(printed, /^spam\.processes = 3 {2}# ghostinbox\.toml:3$/m);
  assert.match(printed, /^spam\.enabled = true {2}# default$/m);
});

test("the output can be read as a file again", () => {
  assert.deepEqual(loadValid(printSettings(showSettings(loaded.sources))).settings, loaded.settings);
});

test("the receivers of alerts are secret; that there are none is not", () => {
  const set = loadValid(`domains = ["example.org"]\nalerts.webhook = ["https://hooks.example/T0KEN"]`);
  const shown = new Map(showSettings(set.sources).map(({ key, value }) => [key, value]));
  assert.equal(shown.get("alerts.webhook"), "(secret)");
  assert.equal(shown.get("alerts.ntfy"), "[]");
});

test("a backup repository in a directory is shown, and one behind a URL, which can hold a password, is not", () => {
  const shown = ["/srv/bk", "rest:https://me:pw@host/"].map((place) => {
    const set = loadValid(`domains = ["example.org"]\nbackup.repository = "${place}"`);
    return shownValue("backup.repository", set.sources);
  });
  assert.deepEqual(shown, ['"/srv/bk"', "(secret)"]);
});

test("a secret is never shown", () => {
  const shown = showSettings(loaded.sources, (key) => key === "hostname");
  assert.equal(shown.find((line) => line.key === "hostname")?.value, "(secret)");
  assert.ok(!printSettings(shown).includes("mail.example.org"));
});

test("a variable that overrides a secret of the file is named, one with the same value is not, and no secret is shown", () => {
  const text = `domains = ["example.org"]\nalerts.webhook = ["https://hooks.example/ONE"]`;
  const webhook = { GHOSTINBOX_ALERTS__WEBHOOK: "https://hooks.example/TWO" };
  const set = loadValid(text, { GHOSTINBOX_DOMAIN: "example.org", ...webhook });
  const overridden = overridesOf(set.sources).map(({ says }) => says);
  assert.deepEqual(overridden, [
    "GHOSTINBOX_ALERTS__WEBHOOK overrides line 2 of ghostinbox.toml: alerts.webhook is (secret), not (secret).",
  ]);
});
