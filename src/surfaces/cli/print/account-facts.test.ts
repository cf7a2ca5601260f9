import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { setLegalHold } from "../../../jobs/retention/retention.ts";
import { heldText, isClosed, keyCountsText, MOST_NAMED, mailKeyText, sinceText } from "./account-facts.ts";

const ANNA = "anna@example.org";
const key = (isOpen: boolean) => ({ id: "00", publicKey: "", locked: "", recoverable: "", isOpen });
const recover = "./ghostinbox encryption recover anna@example.org --recovery-key FILE";

test("an account's page shows which key encrypts its mail, and how to open older mail", () => {
  assert.equal(mailKeyText(ANNA, [], false), null);
  const none = "the server's, until its password is set: ./ghostinbox account passwd anna@example.org";
  assert.equal(mailKeyText(ANNA, [], true), none);
  assert.equal(mailKeyText(ANNA, [key(true), key(true)], true), "its own, which the password opens");
  const some = `its own, which the password opens; older mail is locked: ${recover}`;
  assert.equal(mailKeyText(ANNA, [key(true), key(false)], true), some);
  assert.equal(mailKeyText(ANNA, [key(false)], false), `none, for new mail; older mail is locked: ${recover}`);
  assert.match(mailKeyText(ANNA, [key(false)], true) ?? "", /^the server's, for new mail; older/);
  assert.deepEqual([isClosed([]), isClosed([key(true)]), isClosed([key(true), key(false)])], [false, false, true]);
});

test("for all accounts: omits states that no account has, and lists only some of many names", () => {
  assert.deepEqual(keyCountsText({ own: 1, without: [], ofFile: 0, closed: [] }, true), [
    "1 account has its own key, which the password opens.",
  ]);
  const many = Array.from({ length: MOST_NAMED }, (_, i) => `a${i}@example.org`);
  assert.deepEqual(keyCountsText({ own: 2, without: many, ofFile: 1, closed: [ANNA] }, true), [
    "2 accounts have their own keys, which the passwords open.",
    `The server's key encrypts the mail of ${many.join(", ")} and others, until their password is set: ./ghostinbox account passwd ADDRESS`,
    "The server's key encrypts the mail of 1 account of the accounts file, whose password is not known here.",
    "Older mail of anna@example.org is locked, because the password was set without the recovery key: ./ghostinbox encryption recover ADDRESS --recovery-key FILE",
  ]);
  const counts = { own: 2, without: [ANNA], ofFile: 1, closed: [] };
  assert.deepEqual(keyCountsText(counts, false), []);
  assert.match(keyCountsText({ ...counts, closed: [ANNA] }, false).join(), /^Older mail of \S+ is locked/);
});

test("removing an account warns about a legal hold, or that the hold is unknown", async () => {
  const layout = temporaryLayout("legalHolds");
  const anna = { account: "anna@example.org", since: "2026-11-20T06:00:00.000Z", reason: "a lawsuit" };
  assert.deepEqual(heldText(layout, anna.account), []);
  setLegalHold(layout.legalHolds, anna);
  assert.deepEqual(heldText(layout, "Anna@example.org"), [
    "It has been under legal hold since 2026-11-20 06:00:00 UTC (a lawsuit): keep its mail.",
  ]);
  assert.deepEqual(heldText(layout, "bert@example.org"), []);
  writeFileSync(layout.legalHolds, "{");
  assert.match(heldText(layout, "bert@example.org").join(), /it is unknown which accounts/);
  assert.equal(sinceText({ ...anna, reason: "" }), "since 2026-11-20 06:00:00 UTC");
});
