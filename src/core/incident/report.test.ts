import assert from "node:assert/strict";
import { test } from "node:test";
import type { Assessment } from "./assess.ts";
import { incidentReport, type Reported, TEMPLATE, tellingMail } from "./report.ts";

const AT = "2026-11-20T10:00:00.000Z";
const place = { ip: "198.51.100.99", signIns: 3, mails: 2, first: AT, last: AT };
const ANNA = "anna@example.test";
const counts = { signIns: 4, failedSignIns: 0, mails: 2, held: 1, recipients: 3 };
const account = { account: ANNA, ...counts, places: [place, { ...place, ip: "198.51.100.65" }] };
const address = { ...place, accounts: [ANNA], failedSignIns: 7, guesses: 7 };
const to = { recipientCount: 1, recipients: ["one@away.test"], reached: ["one@away.test"], refused: [] };
const mail = { queueId: "72CED1EABE5", account: ANNA, ip: place.ip, at: AT, sender: ANNA, isHeld: false, ...to };
const heldAt = "2026-11-20T10:20:00.000Z";
const FOUND: Assessment = {
  events: 10,
  accounts: [account],
  addresses: [address],
  mails: [mail, { ...mail, queueId: "82CED1EABE5", at: heldAt, isHeld: true, recipients: [], reached: [] }],
  commands: [{ at: AT, by: "root", type: "PASSWORD_CHANGED", subject: ANNA }],
  isCut: false,
};
const entry = { at: AT, by: "root", lines: [], audited: true };
const FACTS: Reported = {
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
    { ...entry, step: "assess", says: "It was assessed." },
    { ...entry, step: "report", says: "It was reported." },
    { ...entry, step: "drop", says: "2 mails taken out.", lines: Array.from({ length: 40 }, (_, i) => `mail ${i}`) },
  ],
  assessment: FOUND,
  at: AT,
};

test("the report says what happened, who was affected, what was done, and which lessons follow", () => {
  const text = incidentReport(FACTS);
  for (const line of [
    "# Incident: Anna \\| was \\*hijacked\\*",
    "- It may have started at 2026-11-20 09:00:00 UTC, and was opened at 2026-11-20 11:30:00 UTC. It is still open.",
    "- 1 account was used in that time, and 2 mails were sent by them: 1 held at first, 1 recipient reached.",
    "- The server was isolated 2 min after the incident was opened.",
    "| 2026-11-20 11:32:00 UTC | root | isolate | The server was isolated. |",
    "| anna@example.test | 4 | 0 | 2 | 1 | 3 | 198.51.100.99, 198.51.100.65 |",
    "| 198.51.100.99 | anna@example.test | 3 | 7 | 2 | 2026-11-20 10:00:00 UTC |",
    "| 72CED1EABE5 | anna@example.test | 198.51.100.99 | 2026-11-20 10:00:00 UTC | one@away.test |",
    "| PASSWORD_CHANGED | root | 2026-11-20 10:00:00 UTC | anna@example.test |",
    "- 2 mails taken out.",
    "  - mail 0",
    "  - mail 29",
    "  - and 10 more",
    "- Eve +49 30 901820",
  ])
    assert.ok(text.split("\n").includes(line), `${line}\nis not in\n${text}`);
  assert.deepEqual(text.match(/^- (?:The incident was opened|It was).*|.* more(?: than.*)?$/gm), ["  - and 10 more"]);
});

test("only an account with a sign-in or a mail counts as used, and long lists are cut", () => {
  const thirty = Array.from({ length: 30 }, (_, i) => `a${i}@b.test`);
  const accounts = [account, { ...account, places: [place] }, ...thirty.map(() => ({ ...account, places: [] }))];
  const addresses = [{ ...address, accounts: thirty.slice(0, 6) }];
  const mails = thirty.map(() => ({ ...mail, reached: thirty.slice(0, 5) }));
  const text = incidentReport({
    ...FACTS,
    incident: { ...FACTS.incident, title: "x".repeat(1_000) },
    timeline: [{ ...entry, step: "drop", says: "30 mails taken out.", lines: thirty }],
    assessment: { ...FOUND, accounts, addresses, mails, isCut: true },
  });
  assert.match(text, /^# Incident: x{399}…\n/);
  assert.match(text, /\n- 2 accounts were used in that time, and 30 mails were sent by them: 0 held/);
  assert.match(text, /\n- 30 mails taken out\.\n {2}- a0@b/);
  assert.match(text, / a4@b\.test \|\n/);
  assert.equal(text.match(/^\| anna@/gm)?.length, 30);
  assert.deepEqual(text.match(/\S+ and \d+ more|^and.*more$|^There was more.*$/gm), [
    "and 2 more",
    "a4@b.test and 1 more",
    "There was more than could be listed.",
  ]);
});

test("the lessons follow from how the account was used, and from the steps that were not taken", () => {
  const lessons = (changes: Partial<Reported>) =>
    incidentReport({ ...FACTS, ...changes })
      .split(/## Lessons\n\n- |\n\n## Contacts/)[1]
      ?.split("\n- ");
  const took = "1 h 30 min passed between the first of these mails and the opening of the incident.";
  assert.deepEqual(lessons({}), [
    "anna@example.test was used from 2 addresses. If its user works from few networks, `account networks` limits sign-ins to them.",
    "From 198.51.100.99 came 7 wrong passwords before it signed in: the password was guessed. A longer one, used nowhere else, prevents that.",
    "1 mail left before the hold. A lower `limits.sending.strangers` holds mail to strangers earlier.",
    took,
    "The server was not compared with a backup: `incident recover` does that.",
    "No evidence was collected: `incident investigate` does that.",
  ]);
  const timeline = (["recover", "investigate"] as const).map((step) => ({ ...entry, step, says: "" }));
  const held = {
    accounts: [{ ...account, mails: 1, places: [place] }],
    addresses: [{ ...address, guesses: 0 }],
    mails: [{ ...mail, isHeld: true, reached: [] }],
  };
  assert.deepEqual(lessons({ timeline, assessment: { ...FOUND, ...held } }), [
    "No guesses were seen before anna@example.test was used: its password was known to the thief. Ask its user where else it was used, and which device may have leaked it.",
    "No mail left: the limits for mail to strangers held it in time.",
    took,
  ]);
  const unheld = { ...held, mails: [mail, { ...mail, queueId: "82CED1EABE5" }] };
  const left = "2 mails left. A lower `limits.sending.strangers` holds mail to strangers earlier.";
  assert.equal(lessons({ timeline, assessment: { ...FOUND, ...unheld } })?.[1], left);
  const deferred = { ...held, mails: [{ ...mail, reached: [] }] };
  assert.equal(lessons({ timeline, assessment: { ...FOUND, ...deferred } })?.[1], took, "nothing was held");
  const unsent = { accounts: [{ ...account, mails: 0 }], addresses: [{ ...address, guesses: 1 }], mails: [] };
  assert.deepEqual(lessons({ timeline, assessment: { ...FOUND, ...unsent } }), [
    "From 198.51.100.99 came 1 wrong password before it signed in: the password was guessed. A longer one, used nowhere else, prevents that.",
  ]);
});

test("the report says so if nothing was found or done", () => {
  const none: Assessment = { events: 0, accounts: [], addresses: [], mails: [], commands: [], isCut: false };
  const text = incidentReport({ ...FACTS, contacts: [], timeline: [], assessment: none });
  for (const line of [
    "- The server was not isolated.",
    "None was taken yet.",
    "None are set: `config set alerts.contacts` names them.",
    "- No contacts were set: `alerts.contacts` names the people whom every alert shows.",
    "- The server was not compared with a backup: `incident recover` does that.",
  ])
    assert.ok(text.split("\n").includes(line), line);
  assert.doesNotMatch(text, /\| account \|/);
});

const time = { from: "2026-11-20T08:05:30.000Z", until: "2026-11-20T09:10:00.000Z" };
const MISUSE = { account: ANNA, ...time, contacts: ["Eve +49 30 901820"] };

test("the mail names the account, the time and the contacts", () => {
  const { subject, text } = tellingMail(TEMPLATE, MISUSE);
  assert.equal(subject, "Mail from anna@example.test on or after 2026-11-20 may be forged");
  const what = "between 2026-11-20 08:05 and 2026-11-20 09:10 (UTC) someone else used the account anna@";
  assert.ok(text.startsWith(`Hello,\n\n${what}`), text);
  assert.match(text, /\nQuestions: Eve \+49 30 901820\n$/);
  assert.doesNotMatch(tellingMail(TEMPLATE, { ...MISUSE, contacts: [] }).text, /Questions|\{/);
});

test("a custom template keeps words that it does not know", () => {
  const mail = { subject: "About 2026-11-20", text: "anna@example.test {other}\n" };
  assert.deepEqual(tellingMail("About {day}\n\n{account} {other}", MISUSE), mail);
});
