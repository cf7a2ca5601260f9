import { messageOf } from "../../../../core/error.ts";
import { type Assessment, assess } from "../../../../core/incident/assess.ts";
import type { Incident, Step } from "../../../../core/incident/incident.ts";
import { DAY_MS, dayAndTime, instant, isoTime, later, type Millis } from "../../../../core/time.ts";
import { readIsolation } from "../../../../host/firewall/isolation.ts";
import {
  appendEntry,
  folderOf,
  keepIncident,
  openIncident,
  readIncidents,
  readTimeline,
} from "../../../../jobs/incident/folder.ts";
import { type Answer, type Call, done, type Failure, failed, noServerIn, PROGRAM } from "../../call.ts";
import { callerName } from "../../guard-client.ts";
import { columns, joined } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";
import { sinceFrom } from "../server/logs.ts";

/** The default period without an incident. */
export const DEFAULT_PERIOD_MS = DAY_MS;

export async function incidentOpen(call: Call): Promise<Answer> {
  const none = noServerIn(call.layout);
  if (none !== null) return none;
  const open = readIncidents(call.layout).findLast(({ closedAt }) => closedAt === null);
  if (open !== undefined)
    return failed(`The incident ${open.id} is open.`, `Continue with it, or close it: ${PROGRAM} incident close`);
  const since = sinceFrom(call, later(call.now(), -DEFAULT_PERIOD_MS));
  if (typeof since !== "number") return since;
  const title = (call.args[0] ?? "").trim();
  const incident = openIncident(call.layout, { title, openedAt: isoTime(call.now()), since: isoTime(since) });
  const says = `The incident was opened: ${title}. It may have started at ${dayAndTime(incident.since)}.`;
  const unaudited = await recordStep(call, incident, { step: "open", says });
  const folder = folderOf(call.layout, incident);
  const opened = `The incident ${incident.id} is open. Everything about it is kept in ${folder}.`;
  const next = `${PROGRAM} incident isolate, or ${PROGRAM} incident assess`;
  return done({ ...incident, folder }, withContacts(call, [opened, unaudited]), next);
}

export const incidentNote = inIncident(async (call, incident) => {
  const unaudited = await recordOrThrow(call, incident, { step: "note", says: call.args[0] ?? "" });
  return done({ incident: incident.id }, `It is in the timeline. ${unaudited}`.trim(), `${PROGRAM} incident list`);
});

export async function incidentList(call: Call): Promise<Answer> {
  const isolation = readIsolation(call.layout);
  const incidents = readIncidents(call.layout).map((one) => ({ ...one, timeline: readTimeline(call.layout, one) }));
  if (incidents.length === 0)
    return done({ incidents, isolation }, "There has been no incident.", `${PROGRAM} incident open NAME`);
  const rows = incidents.map(({ id, openedAt, closedAt, timeline }) => [
    id,
    dayAndTime(openedAt),
    closedAt === null ? "open" : dayAndTime(closedAt),
    `${timeline.length}`,
  ]);
  const open = incidents.findLast(({ closedAt }) => closedAt === null);
  const steps = (open?.timeline ?? []).map(
    (entry) => `${dayAndTime(entry.at)}  ${entry.step}: ${entry.says}${entry.audited ? "" : " (not in the audit)"}`,
  );
  const text = withContacts(call, [
    columns([["INCIDENT", "OPENED", "CLOSED", "STEPS"], ...rows]),
    steps.length > 0 && `\n${steps.join("\n")}`,
    isolation !== null && `\nThe server is isolated: ${isolation.shut.join(", ")} still closed.`,
  ]);
  return done({ incidents, isolation }, text);
}

export const incidentClose = inIncident(async (call, incident) => {
  if (readIsolation(call.layout) !== null)
    return failed("The server is still isolated.", `Lift that first: ${PROGRAM} incident recover --lift all`);
  const hasReport = readTimeline(call.layout, incident).some(({ step }) => step === "report");
  const closed = { ...incident, closedAt: isoTime(call.now()) };
  // Before the audit is awaited, because another command could isolate the server until it is written.
  keepIncident(call.layout, closed);
  const unaudited = await recordStep(call, incident, { step: "close", says: "The incident was closed." });
  const parts = [`The incident ${incident.id} is closed.`, !hasReport && "It has no report yet.", unaudited];
  return done(closed, joined(" ", parts), `${PROGRAM} incident list`);
});

/** `since`: `--since`, or when the incident may have started. */
export function inIncident(run: (call: Call, incident: Incident, since: Millis) => Promise<Answer>) {
  return async (call: Call): Promise<Answer> => {
    const open = readIncidents(call.layout).findLast(({ closedAt }) => closedAt === null);
    if (open === undefined) return failed("No incident is open.", `Open one: ${PROGRAM} incident open NAME`);
    const since = sinceFrom(call, startOf(open));
    return typeof since === "number" ? run(call, open, since) : since;
  };
}

type Entry = Readonly<{ step: Step; says: string; lines?: readonly string[] }>;

/** Records a step, but does not throw: on a full disk its command still reports the step. Returns a sentence about the failure, or "". */
export function recordStep(call: Call, incident: Incident, entry: Entry): Promise<string> {
  return recordOrThrow(call, incident, entry).catch(
    (error: unknown) => `It could not be written into the timeline: ${messageOf(error)}.`,
  );
}

/**
 * Writes a step into the timeline, and into the audit if the guard runs. Returns a sentence if the audit lacks the step, otherwise "".
 * Throws if the timeline cannot be written.
 */
export async function recordOrThrow(call: Call, incident: Incident, entry: Entry): Promise<string> {
  const { step, says, lines = [] } = entry;
  const subject = `${incident.id} ${step}: ${says.slice(0, 480)}`;
  const noted = await call.guard.ask({ verb: "record", type: "INCIDENT", subject });
  const by = callerName(call.env);
  appendEntry(call.layout, incident, { at: isoTime(call.now()), by, step, says, lines, audited: noted.ok });
  return noted.ok ? "" : `It is in the timeline, but not in the audit: ${noted.message}`;
}

export function startOf({ since }: Incident): Millis {
  return instant(Date.parse(since));
}

/** The contacts that every text about an incident names. */
export function contactsOf(call: Call): readonly string[] {
  const read = settingsOf(call);
  return read.ok ? read.settings["alerts.contacts"] : [];
}

export function withContacts(call: Call, lines: Parameters<typeof joined>[1]): string {
  const contacts = contactsOf(call);
  return joined("\n", [...lines, contacts.length > 0 && `Contacts: ${contacts.join(", ")}`]);
}

/** What was touched since then, by all accounts or one. */
export async function assessment(call: Call, since: Millis, account: string | null): Promise<Assessment | Failure> {
  const opened = await call.reader();
  if (!opened.ok) return opened;
  call.terminal.progress("Reading what was recorded ...");
  return assess(opened.reader.records(since), account);
}
