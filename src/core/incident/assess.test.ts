import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { type EventColumns, row } from "../events/columns.ts";
import type { EventRecord } from "../events/event.ts";
import type { Rest } from "../events/rest-schemas.ts";
import type { Ip } from "../net/ip.ts";
import { instant } from "../time.ts";
import { accountCells, assess, mailsThatLeft, usedAddresses } from "./assess.ts";

const [ANNA, BERT] = ["anna@example.test", "bert@example.test"];
const [HOME, THIEF] = [ip("198.51.100.65"), ip("198.51.100.99")];
let at = 0;

function record(reported: Partial<EventColumns>, rest: Rest): EventRecord {
  at += 1_000;
  return row({ at: instant(at), type: "EMAIL", ...reported }, rest);
}

const login = (account: string, ip: Ip, event: "LOGIN_SUCCEEDED" | "LOGIN_FAILED" = "LOGIN_SUCCEEDED") =>
  record({ account, ip }, { event });
const named = (account: string, recipient: string, transaction: string) =>
  record({ account, ip: THIEF, recipient, verdict: "pass" }, { event: "RECIPIENT", session: "", transaction });
const mail = (account: string, queueId: string, verdict: "pass" | "hold" | "refuse", transaction: string) =>
  record(
    { account, ip: THIEF, queueId, sender: account, verdict },
    { event: "MESSAGE", session: "", transaction, recipientCount: 2 },
  );
const tried = (queueId: string, recipient: string, outcome: "sent" | "bounced" | "deferred") =>
  record({ queueId, recipient }, { event: "MAIL_TRIED", outcome, relay: "", reply: "" });

test("more recipients of a mail than are listed are reported as a cut", () => {
  const recipients = Array.from({ length: 1_000 }, (_, nth) => `${nth}@away.test`);
  const sent = [mail(ANNA, "Q9", "pass", "t9"), ...recipients.map((to) => tried("Q9", to, "sent"))];
  assert.equal(assess([...sent, tried("Q9", "7@away.test", "sent")], null).isCut, false);
  const { isCut, mails } = assess([...sent, tried("Q9", "more@away.test", "sent")], null);
  assert.deepEqual([isCut, mails[0]?.reached.length], [true, 1_000]);
});

function story(): readonly EventRecord[] {
  at = 0;
  return [
    login("nobody@example.test", THIEF, "LOGIN_FAILED"),
    login(BERT, HOME),
    login("Anna@Example.test", HOME),
    login(ANNA, THIEF, "LOGIN_FAILED"),
    login(ANNA, THIEF),
    named(ANNA, "one@away.test", "t1"),
    named(ANNA, "two@away.test", "t1"),
    mail(ANNA, "Q1", "pass", "t1"),
    mail(ANNA, "Q2", "hold", "t2"),
    mail(ANNA, "Q3", "refuse", "t3"),
    tried("Q1", "one@away.test", "deferred"),
    tried("Q1", "one@away.test", "sent"),
    tried("Q1", "two@away.test", "bounced"),
    tried("elsewhere", "two@away.test", "sent"),
    record({ type: "PASSWORD_CHANGED", actor: "root", account: ANNA }, { event: "AUDIT", subject: ANNA }),
  ];
}

test("accounts, addresses, mails and commands are listed, but not accounts at which strangers only guessed", () => {
  const found = assess(story(), null);
  assert.deepEqual(
    found.accounts.map(({ account, signIns, failedSignIns, mails, held, recipients, places }) => [
      account,
      [signIns, failedSignIns, mails, held, recipients],
      places.map(({ ip, signIns: times, mails: sent }) => [ip, times, sent]),
    ]),
    [
      [
        ANNA,
        [2, 1, 2, 1, 4],
        [
          [THIEF, 1, 2],
          [HOME, 1, 0],
        ],
      ],
      [BERT, [1, 0, 0, 0, 0], [[HOME, 1, 0]]],
    ],
  );
  assert.deepEqual(
    found.addresses.map(({ ip, accounts, signIns, failedSignIns, guesses, mails }) => [
      ip,
      accounts.length,
      signIns,
      failedSignIns,
      guesses,
      mails,
    ]),
    [
      [THIEF, 1, 1, 2, 2, 2],
      [HOME, 2, 2, 0, 0, 0],
    ],
  );
  assert.deepEqual(
    found.mails.map(({ queueId, sender, isHeld, recipients, reached, refused }) => ({
      queueId,
      sender,
      isHeld,
      recipients,
      reached,
      refused,
    })),
    [
      {
        queueId: "Q1",
        sender: ANNA,
        isHeld: false,
        recipients: ["one@away.test", "two@away.test"],
        reached: ["one@away.test"],
        refused: ["two@away.test"],
      },
      { queueId: "Q2", sender: ANNA, isHeld: true, recipients: [], reached: [], refused: [] },
    ],
  );
  assert.deepEqual(
    found.commands.map(({ by, type, subject }) => [by, type, subject]),
    [["root", "PASSWORD_CHANGED", ANNA]],
  );
  assert.deepEqual([found.events, found.isCut], [15, false]);
});

test("for one account only its own actions are listed", () => {
  const found = assess(story(), BERT);
  assert.deepEqual(
    [found.accounts.map(({ account }) => account), found.addresses.map(({ ip }) => ip), found.mails, found.commands],
    [[BERT], [HOME], [], []],
  );
});

test("addresses that only guessed, and mails that reached no one, are skipped", () => {
  const guess = login(ANNA, ip("198.51.100.7"), "LOGIN_FAILED");
  const { addresses, mails } = assess([...story(), guess], null);
  assert.deepEqual([addresses.length, mails.length], [3, 2]);
  assert.deepEqual(
    usedAddresses(addresses).map((one) => one.ip),
    [THIEF, HOME],
  );
  assert.deepEqual(
    mailsThatLeft(mails).map(({ queueId }) => queueId),
    ["Q1"],
  );
});

test("a line about an account has its counts in the order of the table's head", () => {
  const counts = { signIns: 1, failedSignIns: 2, mails: 3, held: 4, recipients: 5 };
  const cells = ["anna@example.test", "1", "2", "3", "4", "5"];
  assert.deepEqual(accountCells({ account: "anna@example.test", ...counts, places: [] }), cells);
});
