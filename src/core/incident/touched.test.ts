import assert from "node:assert/strict";
import { test } from "node:test";
import { accountCells, mailsThatLeft, usedAddresses } from "./assess.ts";

const AT = "2026-11-20T10:00:00.000Z";

test("addresses that only guessed, and mails that reached no one, are skipped", () => {
  const guesser = { accounts: [], signIns: 0, failedSignIns: 9, guesses: 9, mails: 0, first: AT, last: AT };
  const addresses = [
    { ...guesser, ip: "198.51.100.7" },
    { ...guesser, ip: "198.51.100.99", accounts: ["anna@example.test"] },
  ];
  assert.deepEqual(
    usedAddresses(addresses).map(({ ip }) => ip),
    ["198.51.100.99"],
  );
  const account = "anna@example.test";
  const mail = {
    account,
    ip: "198.51.100.99",
    at: AT,
    sender: account,
    recipientCount: 1,
    recipients: [],
    refused: [],
  };
  const mails = [
    { ...mail, queueId: "1", isHeld: true, reached: [] },
    { ...mail, queueId: "2", isHeld: false, reached: ["one@away.test"] },
  ];
  assert.deepEqual(
    mailsThatLeft(mails).map(({ queueId }) => queueId),
    ["2"],
  );
});

test("a line about an account has its counts in the order of the table's head", () => {
  const counts = { signIns: 1, failedSignIns: 2, mails: 3, held: 4, recipients: 5 };
  const cells = ["anna@example.test", "1", "2", "3", "4", "5"];
  assert.deepEqual(accountCells({ account: "anna@example.test", ...counts, places: [] }), cells);
});
