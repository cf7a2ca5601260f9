import assert from "node:assert/strict";
import { test } from "node:test";
import type { Assessment } from "./assess.ts";
import { incidentReport, type Reported, TEMPLATE, tellingMail } from "./report.ts";

const AT = "2026-11-20T10:00:00.000Z";
const place = { ip: "198.51.100.99", signIns: 3, mails: 2, first: AT, last: AT };
const account = {
  account: "anna@example.test",
  signIns: 4,
  failedSignIns: 0,
  mails: 2,
  held: 1,
  recipients: 2,
  places: [place, { ...place, ip: "198.51.100.65" }],
};
const address = {
  ip: place.ip,
  accounts: [account.account],
  signIns: 3,
  failedSignIns: 7,
  guesses: 7,
  mails: 2,
  first: AT,
  last: AT,
};
const mail = {
  queueId: "72CED1EABE5",
  account: account.account,
  ip: place.ip,
  at: AT,
  sender: account.account,
  recipientCount: 1,
  isHeld: false,
  recipients: ["one@away.test"],
  reached: ["one@away.test"],
  refused: [],
};
const FOUND: Assessment = {
  events: 10,
  accounts: [account],
  addresses: [address],
  mails: [
    mail,
    { ...mail, queueId: "82CED1EABE5", at: "2026-11-20T10:20:00.000Z", isHeld: true, recipients: [], reached: [] },
  ],
  commands: [{ at: AT, by: "root", type: "PASSWORD_CHANGED", subject: account.account }],
  isCut: false,
};
const entry = { at: AT, by: "root", lines: [], audited: true };
const TOLD: Reported = {
  incident: {
    id: "2026-11-20-anna",
    title: "Anna | was *hijacked*",
    openedAt: "2026-11-20T11:30:00.000Z",
    since: "2026-11-20T09:00:00.000Z",
    closedAt: null,
  },
  host: "mail.example.test",
  contacts: ["Eve +49 30 901820"],
  timeline: [
    { ...entry, step: "open", says: "The incident was opened." },
    { ...entry, step: "isolate", says: "The server was isolated.", at: "2026-11-20T11:32:00.000Z" },
    { ...entry, step: "drop", says: "2 mails taken out.", lines: Array.from({ length: 40 }, (_, i) => `mail ${i}`) },
  ],
  assessment: FOUND,
  at: AT,
};

test("the report says what happened, to whom, what was done, and what follows", () => {
  const text = incidentReport(TOLD);
  for (const line of [
    "# Incident: Anna \\| was \\*hijacked\\*",
    "- It may have started at 2026-11-20 09:00:00, and was opened at 2026-11-20 11:30:00. It is still open.",
    "- 1 account was used in that time, and 2 mails were sent by them: 1 held in the queue, 1 recipient reached.",
    "- The server was isolated 2 min after the incident was opened.",
    "| 2026-11-20 11:32:00 | root | isolate | The server was isolated. |",
    "| anna@example.test | 4 | 0 | 2 | 1 | 2 | 198.51.100.99, 198.51.100.65 |",
    "| 72CED1EABE5 | anna@example.test | 198.51.100.99 | 2026-11-20 10:00:00 | one@away.test |",
    "| PASSWORD_CHANGED | root | 2026-11-20 10:00:00 | anna@example.test |",
    "- 2 mails taken out.",
    "  - mail 29",
    "  - and 10 more",
    "- From 198.51.100.99 came 7 wrong passwords before it signed in: the password was guessed. A longer one, used nowhere else, prevents that.",
    "- 1 mail left before the hold. A lower `limits.sending.strangers` holds mail to strangers earlier.",
    "- 1 h 30 min passed between the first of these mails and the opening of the incident.",
    "- No evidence was collected: `incident investigate` does that.",
    "- Eve +49 30 901820",
  ])
    assert.ok(text.split("\n").includes(line), `${line}\nis not in\n${text}`);
});

test("where nothing was found or done, it says so", () => {
  const none: Assessment = { events: 0, accounts: [], addresses: [], mails: [], commands: [], isCut: false };
  const text = incidentReport({ ...TOLD, contacts: [], timeline: [], assessment: none });
  for (const line of [
    "- The server was not isolated.",
    "None was taken yet.",
    "- No contacts were set: `alerts.contacts` names the people whom every alert shows.",
    "- The server was not compared with a backup: `incident recover` does that.",
  ])
    assert.ok(text.split("\n").includes(line), line);
  assert.doesNotMatch(text, /\| account \|/);
});

const MISUSE = {
  account: "anna@example.test",
  from: "2026-11-20T08:05:30.000Z",
  until: "2026-11-20T09:10:00.000Z",
  contacts: ["Eve +49 30 901820"],
};

test("the mail names the account, the time and whom to ask", () => {
  const { subject, text } = tellingMail(TEMPLATE, MISUSE);
  assert.equal(subject, "Please ignore mail from anna@example.test of 2026-11-20");
  assert.match(
    text,
    /^Hello,\n\nbetween 2026-11-20 08:05 and 2026-11-20 09:10 \(UTC\) someone else used the account anna@/,
  );
  assert.match(text, /\nQuestions: Eve \+49 30 901820\n$/);
  assert.doesNotMatch(tellingMail(TEMPLATE, { ...MISUSE, contacts: [] }).text, /Questions|\{/);
});

test("a template of one's own keeps what it does not know", () => {
  assert.deepEqual(tellingMail("About {day}\n\n{account} {other}", MISUSE), {
    subject: "About 2026-11-20",
    text: "anna@example.test {other}\n",
  });
});
