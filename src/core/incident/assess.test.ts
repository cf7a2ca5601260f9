import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { type EventColumns, row } from "../events/columns.ts";
import type { EventRecord } from "../events/event.ts";
import type { Rest } from "../events/rest-schemas.ts";
import type { Ip } from "../net/ip.ts";
import { instant, isoTime } from "../time.ts";
import { assess, mailsThatLeft, usedAddresses } from "./assess.ts";

const [ANNA, BERT, CARL] = ["anna@example.test", "bert@example.test", "carl@example.test"];
const [HOME, THIEF, OFFICE] = [ip("198.51.100.65"), ip("198.51.100.99"), ip("198.51.100.40")];
let at = 0;

function record(reported: Partial<EventColumns>, rest: Rest): EventRecord {
  at += 1_000;
  return row({ at: instant(at), type: "EMAIL", ...reported }, rest);
}

const login = (account: string, ip: Ip, event: "LOGIN_SUCCEEDED" | "LOGIN_FAILED" = "LOGIN_SUCCEEDED") =>
  record({ account, ip }, { event });
const named = (account: string, recipient: string, transaction: string) =>
  record({ account, ip: THIEF, recipient, verdict: "pass" }, { event: "RECIPIENT", session: "", transaction });
const mail = (account: string, queueId: string, verdict: "pass" | "hold" | "refuse", transaction: string) => {
  const rest = { event: "MESSAGE", session: "", transaction, recipientCount: 2 } as const;
  return record({ account, ip: THIEF, queueId, sender: account, verdict }, rest);
};
const tried = (queueId: string, recipient: string, outcome: "sent" | "bounced" | "deferred") =>
  record({ queueId, recipient }, { event: "MAIL_TRIED", outcome, relay: "", reply: "" });

test("a mail with more recipients than are listed is reported as cut", () => {
  const recipients = Array.from({ length: 1_000 }, (_, nth) => `${nth}@away.test`);
  const outcomes = recipients.map((to, nth) => tried("Q9", to, nth === 0 ? "bounced" : "sent"));
  const sent = [mail(ANNA, "Q9", "pass", "t9"), ...outcomes];
  assert.equal(assess([...sent, tried("Q9", "7@away.test", "sent")], null).isCut, false);
  const { isCut, mails } = assess([...sent, tried("Q9", "more@away.test", "sent")], null);
  assert.deepEqual([isCut, mails[0]?.reached.length], [true, 999]);
  const all = [...recipients, "more@away.test"].map((to) => named(ANNA, to, "t9"));
  const found = assess([...all, mail(ANNA, "Q9", "pass", "t9")], null);
  assert.deepEqual([found.isCut, found.mails[0]?.recipients], [true, recipients]);
});

for (const [what, one] of [
  ["accounts", (nth: number) => login(`a${nth}@example.test`, HOME)],
  ["addresses", (nth: number) => login(ANNA, ip(`2001:db8::${nth.toString(16)}`))],
  ["mails", (nth: number) => mail(ANNA, `Q${nth}`, "pass", "t1")],
  ["commands", (nth: number) => record({ type: "BAN", actor: "root" }, { event: "AUDIT", subject: `${nth}` })],
] as const)
  test(`at most 20,000 ${what} are listed, and more are reported as cut`, () => {
    const records = Array.from({ length: 20_000 }, (_, nth) => one(nth));
    assert.equal(assess(records, null).isCut, false);
    const found = assess([...records, one(20_000)], null);
    assert.deepEqual([found.isCut, found[what].length], [true, 20_000]);
  });

function story(): readonly EventRecord[] {
  at = 0;
  return [
    login(BERT, OFFICE),
    login(CARL, HOME),
    login(CARL, OFFICE),
    login("nobody@example.test", THIEF, "LOGIN_FAILED"),
    login("Anna@Example.test", HOME),
    login(ANNA, THIEF, "LOGIN_FAILED"),
    login(ANNA, THIEF),
    login(ANNA, THIEF, "LOGIN_FAILED"),
    named(ANNA, "one@away.test", "t1"),
    named(ANNA, "untried@away.test", "t1"),
    mail(ANNA, "Q1", "pass", "t1"),
    mail(ANNA, "Q2", "hold", "t1"),
    mail(ANNA, "Q3", "refuse", "t3"),
    tried("Q1", "one@away.test", "deferred"),
    tried("Q1", "one@away.test", "sent"),
    tried("Q1", "two@away.test", "bounced"),
    tried("elsewhere", "two@away.test", "sent"),
    record({ type: "PASSWORD_CHANGED", actor: "root", account: ANNA }, { event: "AUDIT", subject: ANNA }),
    login("Anna@Example.test", HOME),
    login(ANNA, THIEF, "LOGIN_FAILED"),
  ];
}

test("accounts, addresses, mails and commands are listed, but not accounts at which strangers only guessed", () => {
  const time = (s: number): string => isoTime(instant(s * 1_000));
  const used = (first: number, last: number) => ({ first: time(first), last: time(last) });
  const unsent = { failedSignIns: 0, mails: 0 };
  const few = { ...unsent, held: 0, recipients: 0 };
  const sent = { account: ANNA, ip: THIEF, sender: ANNA, recipientCount: 2 };
  const [one, untried, two] = ["one@away.test", "untried@away.test", "two@away.test"];
  const ended = { recipients: [one, untried, two], reached: [one], refused: [two] };
  assert.deepEqual(assess(story(), null), {
    events: 20,
    accounts: [
      {
        account: ANNA,
        signIns: 3,
        failedSignIns: 3,
        mails: 2,
        held: 1,
        recipients: 4,
        places: [
          { ip: HOME, signIns: 2, mails: 0, ...used(5, 19) },
          { ip: THIEF, signIns: 1, mails: 2, ...used(7, 12) },
        ],
      },
      {
        account: CARL,
        signIns: 2,
        ...few,
        places: [
          { ip: OFFICE, signIns: 1, mails: 0, ...used(3, 3) },
          { ip: HOME, signIns: 1, mails: 0, ...used(2, 2) },
        ],
      },
      { account: BERT, signIns: 1, ...few, places: [{ ip: OFFICE, signIns: 1, mails: 0, ...used(1, 1) }] },
    ],
    addresses: [
      { ip: THIEF, accounts: [ANNA], signIns: 1, failedSignIns: 4, guesses: 2, mails: 2, ...used(4, 20) },
      { ip: HOME, accounts: [CARL, ANNA], signIns: 3, guesses: 0, ...unsent, ...used(2, 19) },
      { ip: OFFICE, accounts: [BERT, CARL], signIns: 2, guesses: 0, ...unsent, ...used(1, 3) },
    ],
    mails: [
      { ...sent, queueId: "Q1", at: time(11), isHeld: false, ...ended },
      { ...sent, queueId: "Q2", at: time(12), isHeld: true, recipients: [], reached: [], refused: [] },
    ],
    commands: [{ at: time(18), by: "root", type: "PASSWORD_CHANGED", subject: ANNA }],
    isCut: false,
  });
});

test("for one account only its own actions are listed", () => {
  const found = assess(story(), BERT);
  assert.deepEqual(
    [found.accounts.map(({ account }) => account), found.addresses.map(({ ip }) => ip), found.mails, found.commands],
    [[BERT], [OFFICE], [], []],
  );
});

test("addresses that only guessed, and mails that reached no one, are skipped", () => {
  const guess = login(ANNA, ip("198.51.100.7"), "LOGIN_FAILED");
  const { addresses, mails } = assess([...story(), guess], null);
  assert.deepEqual([addresses.length, mails.length], [4, 2]);
  const used = usedAddresses(addresses).map((one) => one.ip);
  const left = mailsThatLeft(mails).map(({ queueId }) => queueId);
  assert.deepEqual(used, [THIEF, HOME, OFFICE]);
  assert.deepEqual(left, ["Q1"]);
});
