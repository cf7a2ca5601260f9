import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import { ROOT } from "../../../../../test/kit/needs.ts";
import { accountName } from "../../../../../test/kit/samples.ts";
import { guardOfSuite, TIMED } from "../../../../../test/kit/test-guard.ts";
import { DAY_MS } from "../../../../core/time.ts";
import { writeRecord } from "../../../../host/root-files/record-file.ts";
import { writeFolderTimes } from "../../../../jobs/retention/retention.ts";
import { readRetentionRecord } from "../../../../jobs/retention/retention-job.ts";
import { Mailboxes } from "../../../../mail/dovecot/mailboxes.ts";
import { homeOf } from "../../../../mail/dovecot/sieve-redirects.ts";

describe("account legal-hold", { ...TIMED, ...ROOT }, () => {
  const { layout, does, fails } = guardOfSuite({ accounts: ["anna@example.org"] });
  before(() => void mkdirSync(dirname(layout.legalHolds), { recursive: true }));

  test("holds the mail of an account, even of a removed one", async () => {
    mkdirSync(homeOf(layout.mail, "gone@example.org"), { recursive: true });
    const says = /is under legal hold: no mail of it is removed by retention/;
    for (const name of ["anna@example.org", "gone@example.org"])
      assert.match(await does(`account legal-hold ${name} on a lawsuit`), says);
  });

  test("is lifted and recorded once", async () => {
    const lift = () => does("account legal-hold anna@example.org off");
    assert.match(await lift(), /^anna@example\.org is no longer under legal hold\.$/m);
    assert.match(await lift(), /^anna@example\.org is not under legal hold\.$/m);
    assert.equal((await does("audit list")).match(/LEGAL_HOLD_LIFTED/g)?.length, 1);
  });

  test("protects nothing under a misspelled name, and says so", async () => {
    const says = /^There is no account ana@example\.org, and no mail of one\. /;
    for (const word of ["on", "off", ""]) await fails(`account legal-hold ana@example.org ${word}`.trim(), says);
  });

  test("reports an unreadable list of holds as such, not as a fault of the mailboxes", async () => {
    writeFileSync(layout.legalHolds, "{");
    for (const command of ["retention show", "retention run"])
      await fails(command, /^What would be removed is unknown: .* it is unknown which accounts are under legal hold\./);
  });
});

describe("retention run", { ...TIMED, ...ROOT }, () => {
  const { layout, does, fails } = guardOfSuite();

  test("removes no mail without a terminal and without --yes", async ({ mock }) => {
    const anna = accountName("anna@example.org");
    const trash = { name: "Trash", guid: "1", mails: 2, bytes: 20 };
    mock.method(Mailboxes.prototype, "accounts", () => Promise.resolve([anna]));
    mock.method(Mailboxes.prototype, "folders", () => Promise.resolve([trash]));
    mock.method(Mailboxes.prototype, "cameBefore", () => Promise.resolve({ mails: 1, bytes: 10 }));
    const expunge = mock.method(Mailboxes.prototype, "expunge", () => Promise.resolve());
    const now = Date.now();
    writeFileSync(layout.settings, 'domains = ["example.org"]\nretention.mail = ["Trash 1d"]\n');
    mkdirSync(dirname(layout.retentionRecord), { recursive: true });
    writeRecord(layout.retentionRecord, { ...readRetentionRecord(layout), since: 1, lookedAt: now });
    writeFolderTimes(layout.retentionFolders, { [anna]: { 1: { rule: "* Trash", since: now - 2 * DAY_MS } } });
    await fails("retention run", /^There is no terminal to confirm on, so no mail was removed\. Use --yes /, {
      code: 2,
    });
    assert.equal(expunge.mock.callCount(), 0);
    assert.match(await does("retention run --yes"), /^Removed 1 mail, 10 bytes from the mailboxes of 1 account\.$/m);
  });
});
