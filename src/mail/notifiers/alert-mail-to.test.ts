import assert from "node:assert/strict";
import { test } from "node:test";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import type { Settings } from "../../settings/schema.ts";
import { alertMailTo, areMailboxesHere } from "./channels.ts";

function settings(toml: string): Settings {
  return loadValid(`domains = ["example.org", "example.net"]\n${toml}`).settings;
}

test("the administrator gets the alerts until a channel is set", () => {
  assert.deepEqual(alertMailTo(settings("")), ["postmaster@example.org"]);
  assert.deepEqual(alertMailTo(settings('alerts.email = ["a@elsewhere.example"]')), ["a@elsewhere.example"]);
  for (const channel of [
    'alerts.ntfy = ["https://ntfy.example/topic"]',
    'alerts.webhook = ["https://hooks.example/"]',
    'alerts.apprise = ["http://apprise:8000/notify/k"]',
    'alerts.gotify = "https://gotify.example"\nalerts.gotify_token_file = "/token"',
    'alerts.relay = "[smtp.example.net]:587"\nalerts.relay_to = ["me@example.net"]',
  ])
    assert.deepEqual(alertMailTo(settings(channel)), [], channel);
});

test("a mailbox is here by its domain; the postmaster's mail goes where the administrator's does", () => {
  for (const [toml, isHere] of [
    ["", true],
    ['accounts.administrator = "anna@example.net"', true],
    ['accounts.administrator = "anna@elsewhere.example"', false],
    ['alerts.email = ["anna@EXAMPLE.org"]', true],
    ['alerts.email = ["anna@example.org", "me@elsewhere.example"]', false],
  ] as const)
    assert.equal(areMailboxesHere(settings(toml)), isHere, toml);
});
