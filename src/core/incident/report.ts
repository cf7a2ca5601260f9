import { plural, printable } from "../text.ts";
import { dayAndTime, span } from "../time.ts";
import { type Assessment, accountCells, countCells, mailsThatLeft, usedAddresses } from "./assess.ts";
import type { Incident, TimelineEntry } from "./incident.ts";

/** The facts for a report. */
export type Reported = Readonly<{
  incident: Incident;
  host: string;
  contacts: readonly string[];
  timeline: readonly TimelineEntry[];
  assessment: Assessment;
  /** ISO 8601, UTC. */
  at: string;
}>;

const MOST_LISTED = 30;
const LONGEST = 400;

/** The document about an incident, in Markdown: complete, for the owner to review. */
export function incidentReport(facts: Reported): string {
  const { incident, host, contacts, at } = facts;
  return [
    `# Incident: ${text(incident.title)}`,
    "",
    `Server ${host}, incident \`${incident.id}\`, report of ${dayAndTime(at)}.`,
    "",
    "## In short",
    "",
    ...summary(facts).map((line) => `- ${line}`),
    "",
    "## Timeline",
    "",
    "| time | by | step | what |",
    "|---|---|---|---|",
    ...facts.timeline.map(
      (entry) => `| ${dayAndTime(entry.at)} | ${text(entry.by)} | ${entry.step} | ${text(entry.says)} |`,
    ),
    "",
    ...affected(facts.assessment),
    "## Actions",
    "",
    ...actions(facts.timeline),
    "",
    "## Lessons",
    "",
    ...lessons(facts).map((line) => `- ${line}`),
    "",
    "## Contacts",
    "",
    ...(contacts.length === 0
      ? ["None are set: `config set alerts.contacts` names them."]
      : contacts.map((one) => `- ${text(one)}`)),
    "",
  ].join("\n");
}

function summary({ incident, timeline, assessment }: Reported): readonly string[] {
  const { accounts, mails } = assessment;
  const used = accounts.filter(({ places }) => places.length > 0);
  const held = mails.filter(({ isHeld }) => isHeld).length;
  const reached = new Set(mails.flatMap((mail) => mail.reached)).size;
  const isolated = timeline.find(({ step }) => step === "isolate");
  const end = incident.closedAt === null ? "It is still open." : `It was closed at ${dayAndTime(incident.closedAt)}.`;
  return [
    `It may have started at ${dayAndTime(incident.since)}, and was opened at ${dayAndTime(incident.openedAt)}. ${end}`,
    `${plural(used.length, "account was", "accounts were")} used in that time, and ${plural(mails.length, "mail was", "mails were")} sent by them: ${held} held at first, ${plural(reached, "recipient")} reached.`,
    isolated === undefined
      ? "The server was not isolated."
      : `The server was isolated ${between(incident.openedAt, isolated.at)} after the incident was opened.`,
  ];
}

function affected({ accounts, addresses, mails, commands, isCut }: Assessment): readonly string[] {
  return [
    "## What was touched",
    "",
    ...table(
      ["account", "sign-ins", "wrong passwords", "mails", "held", "recipients", "from"],
      accounts.map((one) => [...accountCells(one), listed(one.places.map(({ ip }) => ip))]),
    ),
    ...table(
      ["address", "accounts", "sign-ins", "wrong passwords", "mails", "last seen"],
      usedAddresses(addresses).map((one) => [one.ip, listed(one.accounts), ...countCells(one), dayAndTime(one.last)]),
    ),
    ...table(
      ["mail that left", "account", "from", "at", "reached"],
      mailsThatLeft(mails).map((one) => [one.queueId, one.account, one.ip, dayAndTime(one.at), listed(one.reached)]),
    ),
    ...table(
      ["command", "by", "at", "about"],
      commands.map((one) => [one.type, one.by, dayAndTime(one.at), one.subject]),
    ),
    ...(isCut ? ["There was more than could be listed.", ""] : []),
  ];
}

/** Every step is an action, except those that only record or assess. */
function actions(timeline: readonly TimelineEntry[]): readonly string[] {
  const taken = timeline.filter(({ step }) => step !== "open" && step !== "assess" && step !== "report");
  if (taken.length === 0) return ["None was taken yet."];
  return taken.flatMap(({ says, lines }) => [
    `- ${text(says)}`,
    ...lines.slice(0, MOST_LISTED).map((line) => `  - ${text(line)}`),
    ...(lines.length > MOST_LISTED ? [`  - and ${lines.length - MOST_LISTED} more`] : []),
  ]);
}

function lessons({ incident, timeline, assessment, contacts }: Reported): readonly string[] {
  const { accounts, mails, addresses } = assessment;
  const sender = accounts.find((one) => one.mails > 0);
  const guessed = usedAddresses(addresses).find((one) => one.guesses > 0);
  const left = mailsThatLeft(mails).length;
  const wasHeld = mails.some(({ isHeld }) => isHeld);
  const taken = new Set(timeline.map(({ step }) => step));
  const first = mails[0]?.at ?? incident.openedAt;
  const found: readonly (string | false | undefined)[] = [
    sender &&
      sender.places.length > 1 &&
      `${sender.account} was used from ${plural(sender.places.length, "address")}. If its user works from few networks, \`account networks\` limits sign-ins to them.`,
    guessed &&
      `From ${guessed.ip} came ${plural(guessed.guesses, "wrong password")} before it signed in: the password was guessed. A longer one, used nowhere else, prevents that.`,
    sender &&
      guessed === undefined &&
      `No guesses were seen before ${sender.account} was used: its password was known to the thief. Ask its user where else it was used, and which device may have leaked it.`,
    left > 0 &&
      `${plural(left, "mail")} left${wasHeld ? " before the hold" : ""}. A lower \`limits.sending.strangers\` holds mail to strangers earlier.`,
    left === 0 && wasHeld && "No mail left: the limits for mail to strangers held it in time.",
    first < incident.openedAt &&
      `${between(first, incident.openedAt)} passed between the first of these mails and the opening of the incident.`,
    contacts.length === 0 && "No contacts were set: `alerts.contacts` names the people whom every alert shows.",
    !taken.has("recover") && "The server was not compared with a backup: `incident recover` does that.",
    !taken.has("investigate") && "No evidence was collected: `incident investigate` does that.",
  ];
  return found.filter((lesson) => typeof lesson === "string");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.map(text).join(" | ")} |`;
  const more = rows.length > MOST_LISTED ? [`and ${rows.length - MOST_LISTED} more`, ""] : [];
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.slice(0, MOST_LISTED).map(line), "", ...more];
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

/** For a cell of a table: one line, without anything that Markdown interprets. */
function text(cell: string): string {
  return printable(cell, LONGEST).replaceAll(/[|\\<>[\]`*]/g, (character) => `\\${character}`);
}

function between(from: string, until: string): string {
  return span(Date.parse(until) - Date.parse(from));
}

/** The mail to people who received mail that the account's owner did not write. The first line is the subject. */
export const TEMPLATE = `Mail from {account} on or after {day} may be forged
Hello,

between {from} and {until} (UTC) someone else used the account {account} on our server, and sent mail in its name. One
of those mails was delivered to you.

Please do not open its links or attachments, and do not answer it. If you did so already, change the passwords that
you typed, and let your provider or administrator know.

We have stopped the misuse and secured the account. We are sorry for the trouble.
{contacts}`;

type Misuse = Readonly<{ account: string; from: string; until: string; contacts: readonly string[] }>;

/** Subject and text of the mail. Unknown words in braces stay. */
export function tellingMail(template: string, { account, from, until, contacts }: Misuse) {
  const words: Readonly<Record<string, string>> = {
    account,
    day: from.slice(0, 10),
    from: `${from.slice(0, 10)} ${from.slice(11, 16)}`,
    until: `${until.slice(0, 10)} ${until.slice(11, 16)}`,
    contacts: contacts.length === 0 ? "" : `\nQuestions: ${contacts.join(", ")}\n`,
  };
  const filled = template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => words[name] ?? whole);
  const [subject = "", ...lines] = filled.split("\n");
  return { subject: subject.trim(), text: `${lines.join("\n").trim()}\n` };
}
