import { readFileSync } from "node:fs";
import { messageOf } from "../../../../core/error.ts";
import { mailsThatLeft } from "../../../../core/incident/assess.ts";
import type { Incident } from "../../../../core/incident/incident.ts";
import { TEMPLATE, tellingMail } from "../../../../core/incident/report.ts";
import { plural, quoted } from "../../../../core/text.ts";
import { dayAndTime, later } from "../../../../core/time.ts";
import { readIsolation } from "../../../../host/firewall/isolation.ts";
import { readIncidents, readTimeline } from "../../../../jobs/incident/folder.ts";
import { queueMail } from "../../../../mail/notifiers/alert-mails.ts";
import { encodedSubject } from "../../../../mail/notifiers/mail-text.ts";
import { type Answer, type Call, done, type Failure, failed, PROGRAM, whyNotSure } from "../../call.ts";
import { columns, joined, oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";
import { accountFrom } from "../accounts/accounts.ts";
import { sinceFrom } from "../server/logs.ts";
import { assessment, contactsOf, DEFAULT_PERIOD_MS, inIncident, recordOrThrow, startOf } from "./incident.ts";

const MOST_SHOWN = 50;
/** Mails per timeline entry: if the command is killed, at most this many people get a second mail. More entries would flood it. */
const RECORDED_AT_ONCE = 100;

/** Works without an open incident. */
export async function incidentSent(call: Call): Promise<Answer> {
  const found = await mailsOf(call, call.args[0]);
  if ("ok" in found) return found;
  const { mails } = found;
  if (mails.length === 0) return done({ mails }, "No account sent mail in that time.");
  const rows = mails
    .toReversed()
    .slice(0, MOST_SHOWN)
    .map((mail) => [
      mail.queueId,
      mail.account,
      dayAndTime(mail.at),
      mail.ip,
      mail.isHeld && mail.reached.length === 0 ? "held" : `${mail.reached.length} of ${mail.recipientCount}`,
      mail.recipients.slice(0, 3).join(", ") || "-",
    ]);
  const more = mails.length > MOST_SHOWN ? `\nand ${mails.length - MOST_SHOWN} more: --json shows all` : "";
  const head = ["MAIL", "ACCOUNT", "AT", "FROM", "REACHED", "TO"];
  return done({ mails }, columns([head, ...rows]) + more, `${PROGRAM} incident tell ACCOUNT`);
}

export const incidentTell = inIncident(async (call, incident) => {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const found = await mailsOf(call, name);
  if ("ok" in found) return found;
  const reached = mailsThatLeft(found.mails);
  const all = [...new Map(reached.flatMap((mail) => mail.reached.map((to) => [to.toLowerCase(), to]))).values()];
  const to = notYetNotified(call, incident, name, all);
  const notes = [
    ...(to.length < all.length ? [`${recipients(all.length - to.length)} already informed.`] : []),
    ...(found.isCut ? ["There was more than can be listed, so others may have received mail too."] : []),
  ];
  const [first, last] = [reached[0], reached.at(-1)];
  if (first === undefined || last === undefined)
    return done({ to: [] }, `No mail of ${oneLine(name)} reached anyone in that period.`);
  if (to.length === 0) return done({ to }, `No one is left to notify. ${notes.join(" ")}`);
  const template = templateFrom(call);
  if (typeof template !== "string") return template;
  const mail = tellingMail(template, { account: name, from: first.at, until: last.at, contacts: contactsOf(call) });
  const printed = `Subject: ${mail.subject}\n\n${mail.text}\n${plural(to.length, "recipient")}:\n${[...to, ...notes].join("\n")}`;
  if (!call.flag("send")) {
    const given = ["template", "since"].map((option) => {
      const value = call.option(option);
      return value === null ? "" : ` --${option} ${quoted(value)}`;
    });
    const again = `incident tell ${name}${given.join("")} --send`;
    return done({ ...mail, to }, printed, `${PROGRAM} ${again}  # one mail to each of them`);
  }
  const question = [...notes, `Send this to ${plural(to.length, "recipient")}?`].join(" ");
  const unsure = await whyNotSure(call, question, "nothing was sent");
  if (unsure !== null) return unsure;
  // While the question was open, another command may have sent it.
  const due = notYetNotified(call, incident, name, to);
  const informed = (count: number) => `${recipients(count)} ${noticeText(name)}.`;
  let [sent, unaudited, failure]: [number, string, string | null] = [0, "", null];
  let next = "Repeat the command to inform the others.";
  while (sent < due.length && failure === null) {
    const some = await sendEach(call, mail, due.slice(sent, sent + RECORDED_AT_ONCE));
    const lines = due.slice(sent, sent + some.queued);
    sent += some.queued;
    failure = some.failure;
    if (lines.length === 0) break;
    const taken = { step: "tell", says: [informed(lines.length), ...notes].join(" "), lines } as const;
    try {
      unaudited = (await recordOrThrow(call, incident, taken)) || unaudited;
    } catch (error) {
      failure = joined("; ", [failure ?? "", `the timeline cannot be written (${messageOf(error)})`]);
      next = `Make the timeline writable. A repeat sends the mail to the last ${lines.length} again.`;
    }
  }
  const says = joined(" ", [informed(sent), ...notes, unaudited]);
  if (failure !== null) return failed(`${says} Then it stopped: ${failure}.`, next);
  const waits =
    readIsolation(call.layout)?.shut.includes("send") === true &&
    `The server is isolated, so these mails wait until \`${PROGRAM} incident recover --lift send\`.`;
  return done({ ...mail, to: due, sent }, joined(" ", [says, waits]), `${PROGRAM} queue list`);
});

function recipients(count: number): string {
  return `${plural(count, "recipient")} ${count === 1 ? "was" : "were"}`;
}

function noticeText(name: string): string {
  return `informed that the owner of ${name} did not write the mail they received`;
}

/** Recipients who were not informed yet, according to the timeline. */
function notYetNotified({ layout }: Call, incident: Incident, name: string, all: readonly string[]): readonly string[] {
  const before = readTimeline(layout, incident).filter(
    ({ step, says }) => step === "tell" && says.includes(noticeText(name)),
  );
  const notified = new Set(before.flatMap(({ lines }) => lines.map((recipient) => recipient.toLowerCase())));
  return all.filter((recipient) => !notified.has(recipient.toLowerCase()));
}

/** Sends a separate mail to each, so that no recipient learns of the others. Ctrl-C stops between two mails. */
async function sendEach(
  call: Call,
  { subject, text }: ReturnType<typeof tellingMail>,
  recipients: readonly string[],
): Promise<Readonly<{ queued: number; failure: string | null }>> {
  const read = settingsOf(call);
  if (!read.ok) return { queued: 0, failure: read.message };
  const from = `postmaster@${read.settings.domains[0] ?? ""}`;
  const { interrupted } = call.terminal;
  for (const [queued, to] of recipients.entries()) {
    if (interrupted.aborted) return { queued, failure: "it was interrupted" };
    const headers = [
      `From: <${from}>`,
      `To: <${to}>`,
      `Subject: ${encodedSubject(subject).replaceAll("\r\n", "\n")}`,
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: 8bit",
      "Auto-Submitted: auto-generated",
    ];
    const input = `${headers.join("\n")}\n\n${text}`;
    const sent = await queueMail(call.layout, { from, to: [to], input });
    if (!sent.ok) return { queued, failure: sent.reason };
  }
  return { queued: recipients.length, failure: null };
}

function templateFrom(call: Call): string | Failure {
  const file = call.option("template");
  if (file === null) return TEMPLATE;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    return failed(`The template cannot be read: ${messageOf(error)}.`, "");
  }
}

async function mailsOf(call: Call, word: string | undefined) {
  const name = word === undefined ? null : accountFrom(word);
  if (name !== null && typeof name !== "string") return name;
  const incident = readIncidents(call.layout).at(-1);
  const since = sinceFrom(call, incident === undefined ? later(call.now(), -DEFAULT_PERIOD_MS) : startOf(incident));
  return typeof since === "number" ? assessment(call, since, name) : since;
}
