import type { Assessment } from "../../../core/incident/assess.ts";
import type { Incident, Step } from "../../../core/incident/incident.ts";
import { instant, isoTime, type Millis } from "../../../core/time.ts";
import { type CommandCall, type CommandFailure, failed, PROGRAM } from "../../call.ts";
import { callerName } from "../server/guard-status.ts";
import { sinceFrom } from "../server/logs.ts";
import { settingsOf } from "../settings/server-settings.ts";

/** Loaded when a command needs it, as each command loads its own code. */
export const folders = () => import("../../../daemon/incident/folder.ts");

/** Steps that must not happen by accident ask, or need an option: the sentence without a terminal. */
export const UNSURE = ["No terminal to ask on: nothing was done.", "Give --yes if that is what you want."] as const;

export function rootAlone(command: string): CommandFailure | null {
  if (process.getuid?.() === 0) return null;
  return failed("Only root works on an incident.", `Try: sudo ${PROGRAM} ${command}`);
}

/** The incident that is open. */
export async function openIncidentOf(call: CommandCall, command: string): Promise<Incident | CommandFailure> {
  const refused = rootAlone(command);
  if (refused !== null) return refused;
  const { readIncidents } = await folders();
  const open = readIncidents(call.layout).findLast(({ closedAt }) => closedAt === null);
  return open ?? failed("No incident is open.", `Open one: ${PROGRAM} incident open NAME`);
}

export function isFailure(one: object): one is CommandFailure {
  return "ok" in one && one.ok === false;
}

type Taken = Readonly<{ step: Step; says: string; lines?: readonly string[] }>;

/** Writes a step into the timeline, and into the audit if the guard runs. The sentence about that, for people. */
export async function take(call: CommandCall, incident: Incident, { step, says, lines = [] }: Taken): Promise<string> {
  const { appendEntry } = await folders();
  const noted = await call.guard.ask<"incident_note">({
    verb: "incident_note",
    incident: incident.id,
    step,
    says: says.slice(0, 480),
  });
  const by = callerName(call.env);
  appendEntry(call.layout, incident, { at: isoTime(instant(call.now())), by, step, says, lines, audited: noted.ok });
  return noted.ok ? "" : `It is in the timeline, but not in the audit: ${noted.message}`;
}

/** `--since`, or when the incident may have started. */
export function beginOf(call: CommandCall, incident: Incident): Millis | CommandFailure {
  return sinceFrom(call) ?? instant(Date.parse(incident.since));
}

/** Whom every page about an incident names. */
export function contactsOf(call: CommandCall): readonly string[] {
  const read = settingsOf(call);
  return read.ok ? read.settings["alerts.contacts"] : [];
}

export function withContacts(call: CommandCall, text: string): string {
  const contacts = contactsOf(call);
  return contacts.length === 0 ? text : `${text}\nContacts: ${contacts.join(", ")}`;
}

/** What was touched since then, of all accounts or of one. */
export async function assessment(
  call: CommandCall,
  since: Millis,
  account: string | null,
): Promise<Assessment | CommandFailure> {
  const { assess } = await import("../../../core/incident/assess.ts");
  const opened = await call.reader();
  if (!opened.ok) return opened;
  call.terminal.progress("Reading what was recorded ...");
  return assess(opened.reader.records(since), account);
}
