import assert from "node:assert/strict";
import { test } from "node:test";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { DEFAULT_DATA_DIRECTORY, layoutOf } from "../../settings/layout.ts";
import { MB } from "../../settings/setting.ts";
import { memoryNotes, runningText, settingsNotes } from "./announce.ts";

const TOML = 'domains = ["example.org", "example.net"]\n[http]\naddress = "127.0.0.1"\n[ports]\nhttp = 8080\n';
const loaded = loadValid(TOML);
const { settings } = loaded;
const layout = layoutOf("/srv/mail");

test("every port for other machines is named, and no internal one", () => {
  assert.deepEqual(runningText(layout, settings, null).match(/^ {2}\d+ .*$/gm), [
    "  25     mail from other servers (SMTP)",
    "  465    mail from users (SMTP over TLS)",
    "  587    mail from users (SMTP with STARTTLS)",
    "  993    mailboxes (IMAP over TLS)",
    "  8080   dashboard and API (HTTP), on 127.0.0.1",
  ]);
});

test("the next commands are those for this data directory", () => {
  const elsewhere = runningText(layout, settings, null);
  assert.match(elsewhere, /^ {2}GHOSTINBOX_DATA=\/srv\/mail \.\/ghostinbox account add you@example\.org$/m);
  const usual = runningText(layoutOf(DEFAULT_DATA_DIRECTORY), settings, null);
  assert.match(usual, /^ {2}\.\/ghostinbox account add you@example\.org$/m);
  assert.match(usual, /^GhostInbox runs as mail\.example\.org, for example\.org, example\.net\.$/m);
});

test("the dashboard's password is shown if it was just created", () => {
  const shown = /^Password of the dashboard, .* once: {2}correct horse$/m;
  assert.match(runningText(layout, settings, "correct horse"), shown);
  assert.doesNotMatch(runningText(layout, settings, null), /Password/);
  const logged =
    /^Password of the dashboard, which this log keeps \(`ghostinbox admin passwd` .*\): {2}correct horse$/m;
  assert.match(runningText(layout, settings, "correct horse", true), logged);
});

test("the first start says that the file counts from now on, a later one which variable overrides it", () => {
  assert.deepEqual(settingsNotes(layout, loaded, [], loaded.sources), []);
  assert.deepEqual(settingsNotes(layout, loaded, ["GHOSTINBOX_DOMAIN"], loaded.sources), [
    "/srv/mail/ghostinbox.toml now contains the mail domains and applies from here on: later starts do not need GHOSTINBOX_DOMAIN.",
  ]);
  const overridden = loadValid('domains = ["example.org"]\n', { GHOSTINBOX_DOMAIN: "example.net" });
  assert.deepEqual(settingsNotes(layout, overridden, [], overridden.sources), [
    'Note: GHOSTINBOX_DOMAIN overrides line 1 of ghostinbox.toml: domains is ["example.net"], not ["example.org"]. Change that line too, because starts without GHOSTINBOX_DOMAIN use it.',
  ]);
});

test("the start after a restore says which variables it ignores", () => {
  const env = {
    GHOSTINBOX_DOMAIN: "example.org,example.net",
    GHOSTINBOX_HOSTNAME: "mx.example.org",
    GHOSTINBOX_PROFILE: "small",
  };
  const [, ...notes] = settingsNotes(layout, loaded, Object.keys(env), loadValid(TOML, env).sources);
  const because = "is ignored, because the restored ghostinbox.toml says otherwise";
  assert.deepEqual(notes, [
    `Note: GHOSTINBOX_HOSTNAME ${because}: hostname is "mail.example.org", not "mx.example.org".`,
    `Note: GHOSTINBOX_PROFILE ${because}: profile is "standard", not "small".`,
  ]);
});

test("on a machine with little memory the small profile is suggested, with its costs", () => {
  assert.deepEqual(memoryNotes(loaded, 960 * MB), []);
  assert.deepEqual(memoryNotes(loaded, 481.5 * MB), [
    'Note: This machine has 481 MB of memory, and GhostInbox needs 1 GB: with profile = "small" in ghostinbox.toml it runs in 512 MB (docs/small-machine.md).',
  ]);
  const small = loadValid('domains = ["example.org"]\nprofile = "small"');
  for (const bytes of [480 * MB, 4_096 * MB]) {
    const [line = "", ...others] = memoryNotes(small, bytes);
    assert.match(line, /^Profile small \(docs\/small-machine\.md\)\. .*Fail2ban is off: /);
    assert.deepEqual(others, []);
  }
});
