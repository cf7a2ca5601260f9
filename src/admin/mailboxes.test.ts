import assert from "node:assert/strict";
import { test } from "node:test";
import { verbs } from "./declare/control.ts";
import { MAILBOX_SETTING_FORMS, type MailboxSettings } from "./mailboxes.ts";

const ANNA = "anna@example.org";
const NONE: MailboxSettings = { appPasswords: [], forwarding: null, vacation: null };
const SET: MailboxSettings = {
  appPasswords: [{ name: "phone", madeBy: "root", madeAt: "2026-11-01T00:00:00Z", usedAt: null }],
  forwarding: { to: ["eve@evil.example"], keep: false },
  vacation: { subject: "", text: "Write to eve@evil.example.", until: "2026-11-02T00:00:00Z" },
};

test("each setting is shown in a line if it is set", () => {
  const shown = (own: MailboxSettings) =>
    MAILBOX_SETTING_FORMS.map(({ shows }) => shows(own, Date.parse("2026-11-24")));
  assert.deepEqual(shown(NONE), [null, null, null]);
  assert.deepEqual(shown(SET), [
    "eve@evil.example; no copy stays here",
    "ended 2026-11-02 00:00:00 UTC",
    "phone (never used)",
  ]);
});

test("what a thief may have set is ended by a command that the guard takes, and is named afterwards", () => {
  for (const form of MAILBOX_SETTING_FORMS) {
    if (!("ends" in form)) continue;
    const { label, ends } = form;
    const command = ends.command(ANNA);
    assert.ok(verbs.get(command.verb)?.schema().safeParse(command).success, label);
    assert.match(ends.did(ANNA, SET), /eve@evil\.example/);
  }
});
