import { join } from "node:path";
import {
  type Assessment,
  accountCells,
  countCells,
  mailsThatLeft,
  usedAddresses,
} from "../../../../core/incident/assess.ts";
import { incidentReport as reportOf } from "../../../../core/incident/report.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime, isoTime } from "../../../../core/time.ts";
import { folderOf, readTimeline, writeInto } from "../../../../jobs/incident/folder.ts";
import { type OpenSession, openSessions } from "../../../../mail/dovecot/doveadm.ts";
import { type Call, done, PROGRAM } from "../../call.ts";
import { columns, joined, when } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";
import { accountFrom } from "../accounts/accounts.ts";
import { assessment, contactsOf, inIncident, recordStep, withContacts } from "./incident.ts";

const MOST_SHOWN = 20;

export const incidentAssess = inIncident(async (call, incident, since) => {
  const named = call.option("account");
  const account = named === null ? null : accountFrom(named);
  if (account !== null && typeof account !== "string") return account;
  const found = await assessment(call, since, account);
  if ("ok" in found) return found;
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const accounts = found.accounts.map((one) => ({ ...one, newPlaces: opened.reader.newPlaces(one.account, since) }));
  const sessions = await sessionsOf(call, account);
  const written = { since: isoTime(since), ...found, accounts, sessions };
  writeInto(`${folderOf(call.layout, incident)}/assessment.json`, `${JSON.stringify(written, null, 2)}\n`);
  const says = `Since ${when(since)}: ${summaryOf(found)}.`;
  const unaudited = await recordStep(call, incident, { step: "assess", says });
  const tables = [...lists(found, accounts), ...sessionTable(sessions)];
  const text = withContacts(call, [says, ...tables, unaudited !== "" && `\n${unaudited}`]);
  return done(written, text, `${PROGRAM} incident contain ${accounts[0]?.account ?? "ACCOUNT"} --dry-run`);
});

/** Sessions of mailboxes; null if Dovecot does not answer. */
async function sessionsOf({ layout }: Call, account: string | null): Promise<readonly OpenSession[] | null> {
  try {
    return (await openSessions(layout)).filter((one) => account === null || one.account === account);
  } catch {
    return null;
  }
}

function sessionTable(sessions: readonly OpenSession[] | null): readonly string[] {
  if (sessions === null) return ["\nOpen sessions are unknown, because Dovecot does not answer."];
  const rows = Map.groupBy(sessions, ({ account: name, ip }) => `${name} ${ip}`);
  return cappedTable(
    ["OPEN SESSIONS OF", "FROM", "HOW MANY"],
    [...rows.values()].map((some) => [some[0]?.account ?? "", some[0]?.ip ?? "", `${some.length}`]),
  );
}

function summaryOf({ accounts, addresses, mails }: Assessment): string {
  const held = mails.filter(({ isHeld }) => isHeld).length;
  const used = usedAddresses(addresses).length;
  return `${plural(accounts.length, "account")} used from ${plural(used, "address")}; ${plural(mails.length, "mail")} sent, ${held} of them held at first`;
}

type WithPlaces = Assessment["accounts"][number] & Readonly<{ newPlaces: readonly string[] }>;

function lists({ addresses, mails, commands, isCut }: Assessment, accounts: readonly WithPlaces[]): readonly string[] {
  return [
    ...cappedTable(
      ["ACCOUNT", "SIGN-INS", "WRONG", "MAILS", "HELD", "RECIPIENTS", "NEW PLACES"],
      accounts.map((one) => [...accountCells(one), one.newPlaces.slice(0, 3).join(", ") || "-"]),
    ),
    ...cappedTable(
      ["ADDRESS", "ACCOUNTS", "SIGN-INS", "WRONG", "MAILS", "LAST"],
      usedAddresses(addresses).map((one) => [
        one.ip,
        `${one.accounts.length}`,
        ...countCells(one),
        dayAndTime(one.last),
      ]),
    ),
    ...cappedTable(
      ["MAIL THAT LEFT", "ACCOUNT", "AT", "REACHED"],
      mailsThatLeft(mails).map((mail) => [
        mail.queueId,
        mail.account,
        dayAndTime(mail.at),
        mail.reached.slice(0, 3).join(", "),
      ]),
    ),
    ...cappedTable(
      ["COMMAND", "BY", "AT", "ABOUT"],
      commands.toReversed().map((one) => [one.type, one.by, dayAndTime(one.at), one.subject]),
    ),
    ...(isCut ? ["\nThere was more than can be listed: give a later --since or an --account."] : []),
  ];
}

function cappedTable(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const more = rows.length > MOST_SHOWN && `and ${rows.length - MOST_SHOWN} more, in assessment.json of its folder`;
  return [joined("\n", [`\n${columns([head, ...rows.slice(0, MOST_SHOWN)])}`, more])];
}

export const incidentReport = inIncident(async (call, incident, since) => {
  const found = await assessment(call, since, null);
  if ("ok" in found) return found;
  const file = join(folderOf(call.layout, incident), "report.md");
  const unaudited = await recordStep(call, incident, { step: "report", says: "The report was written." });
  const read = settingsOf(call);
  const text = reportOf({
    incident,
    host: read.ok ? read.settings.hostname : "",
    contacts: contactsOf(call),
    timeline: readTimeline(call.layout, incident),
    assessment: found,
    at: isoTime(call.now()),
  });
  writeInto(file, text);
  const next = `${PROGRAM} incident close  # the report is ${file}`;
  return done({ file, report: text }, `${text}\n${unaudited}`.trim(), next);
});
