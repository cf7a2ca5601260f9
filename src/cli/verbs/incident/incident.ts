import { dayAndTime } from "../../../core/shown.ts";
import { HOUR_MS, instant, isoTime, later } from "../../../core/time.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { noServerIn } from "../../no-server.ts";
import { columns } from "../../print/text.ts";
import { sinceFrom } from "../server/logs.ts";
import { folders, isFailure, openIncidentOf, rootAlone, take, withContacts } from "./the-incident.ts";

/** What is looked at unless the owner knows better. */
const USUAL_SINCE_MS = 24 * HOUR_MS;

/** `incident open NAME...` */
export async function incidentOpen(call: CommandCall): Promise<CommandOutcome> {
  const refused = rootAlone("incident open");
  const none = refused ?? noServerIn(call.layout);
  if (none !== null) return none;
  const { openIncident, readIncidents, folderOf } = await folders();
  const open = readIncidents(call.layout).findLast(({ closedAt }) => closedAt === null);
  if (open !== undefined)
    return failed(`The incident ${open.id} is open.`, `Continue with it, or close it: ${PROGRAM} incident close`);
  const since = sinceFrom(call) ?? later(instant(call.now()), -USUAL_SINCE_MS);
  if (typeof since !== "number") return since;
  const title = (call.args[0] ?? "").trim();
  const incident = openIncident(call.layout, {
    title,
    openedAt: isoTime(instant(call.now())),
    since: isoTime(since),
  });
  const says = `The incident was opened: ${title}. It may have started at ${dayAndTime(incident.since)}.`;
  const unaudited = await take(call, incident, { step: "open", says });
  const folder = folderOf(call.layout, incident);
  const text = `The incident ${incident.id} is open. Everything about it is kept in ${folder}.\n${unaudited}`.trim();
  return done(
    { ...incident, folder },
    withContacts(call, text),
    `${PROGRAM} incident isolate, or ${PROGRAM} incident assess`,
  );
}

/** `incident note TEXT...` */
export async function incidentNote(call: CommandCall): Promise<CommandOutcome> {
  const incident = await openIncidentOf(call, "incident note");
  if (isFailure(incident)) return incident;
  const unaudited = await take(call, incident, { step: "note", says: call.args[0] ?? "" });
  return done({ incident: incident.id }, `It is in the timeline. ${unaudited}`.trim(), `${PROGRAM} incident list`);
}

/** `incident list` */
export async function incidentList(call: CommandCall): Promise<CommandOutcome> {
  const refused = rootAlone("incident list");
  if (refused !== null) return refused;
  const { readIncidents, readTimeline } = await folders();
  const { readIsolation } = await import("../../../daemon/incident/isolation.ts");
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
  const text = [
    columns([["INCIDENT", "OPENED", "CLOSED", "STEPS"], ...rows]),
    ...(steps.length === 0 ? [] : ["", ...steps]),
    ...(isolation === null ? [] : ["", `The server is isolated: ${isolation.shut.join(", ")} still closed.`]),
  ].join("\n");
  return done({ incidents, isolation }, withContacts(call, text));
}

/** `incident close` */
export async function incidentClose(call: CommandCall): Promise<CommandOutcome> {
  const incident = await openIncidentOf(call, "incident close");
  if (isFailure(incident)) return incident;
  const { keepIncident, readTimeline } = await folders();
  const { readIsolation } = await import("../../../daemon/incident/isolation.ts");
  if (readIsolation(call.layout) !== null)
    return failed("The server is still isolated.", `Lift that first: ${PROGRAM} incident recover --lift all`);
  const hasReport = readTimeline(call.layout, incident).some(({ step }) => step === "report");
  const closed = { ...incident, closedAt: isoTime(instant(call.now())) };
  const unaudited = await take(call, incident, { step: "close", says: "The incident was closed." });
  keepIncident(call.layout, closed);
  const missing = hasReport ? "" : " It has no report yet.";
  return done(
    closed,
    `The incident ${incident.id} is closed.${missing} ${unaudited}`.trim(),
    `${PROGRAM} incident list`,
  );
}
