import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "./load.ts";
import { settingKeys } from "./schema.ts";
import { printSettings, showSettings } from "./show.ts";

const loaded = loadSettings(`domains = ["example.org"]\nbans.ladder = ["60m"]`, { GHOSTINBOX_PORTS__HTTP: "3001" });

test("every setting is shown with its source", () => {
  assert.ok(loaded.ok);
  const shown = new Map(showSettings(loaded.sources).map((line) => [line.key, line]));
  assert.equal(shown.size, settingKeys().length);
  assert.deepEqual(shown.get("domains"), { key: "domains", value: `["example.org"]`, from: "file" });
  assert.deepEqual(shown.get("hostname"), { key: "hostname", value: `"mail.example.org"`, from: "default" });
  assert.deepEqual(shown.get("bans.ladder"), { key: "bans.ladder", value: `["1h"]`, from: "file" });
  assert.deepEqual(shown.get("ports.http"), { key: "ports.http", value: "3001", from: "GHOSTINBOX_PORTS__HTTP" });
});

test("what is printed can be read as a file again", () => {
  assert.ok(loaded.ok);
  const again = loadSettings(printSettings(showSettings(loaded.sources)), {});
  assert.ok(again.ok);
  assert.deepEqual(again.settings, loaded.settings);
});

test("where alerts are sent is a secret; that they are sent nowhere is none", () => {
  const set = loadSettings(`domains = ["example.org"]\nalerts.webhook = ["https://hooks.example/T0KEN"]`, {});
  assert.ok(set.ok);
  const shown = new Map(showSettings(set.sources).map(({ key, value }) => [key, value]));
  assert.equal(shown.get("alerts.webhook"), "(secret)");
  assert.equal(shown.get("alerts.ntfy"), "[]");
});

test("a secret is never shown", () => {
  assert.ok(loaded.ok);
  const shown = showSettings(loaded.sources, (key) => key === "hostname");
  assert.equal(shown.find((line) => line.key === "hostname")?.value, "(secret)");
  assert.ok(!printSettings(shown).includes("mail.example.org"));
});
