import { join } from "node:path";
import { incidentReport } from "../../../core/incident/report.ts";
import { instant, isoTime } from "../../../core/time.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM } from "../../call.ts";
import { settingsOf } from "../settings/server-settings.ts";
import { assessment, beginOf, contactsOf, folders, isFailure, openIncidentOf, take } from "./the-incident.ts";

/** `incident report`: the document, in the folder of the incident. */
export async function incidentReportFile(call: CommandCall): Promise<CommandOutcome> {
  const incident = await openIncidentOf(call, "incident report");
  if (isFailure(incident)) return incident;
  const since = beginOf(call, incident);
  if (typeof since !== "number") return since;
  const found = await assessment(call, since, null);
  if (isFailure(found)) return found;
  const { folderOf, readTimeline } = await folders();
  const { writeInto } = await import("../../../daemon/incident/collect.ts");
  const file = join(folderOf(call.layout, incident), "report.md");
  const unaudited = await take(call, incident, { step: "report", says: "The report was written." });
  const read = settingsOf(call);
  const text = incidentReport({
    incident,
    host: read.ok ? read.settings.hostname : "",
    contacts: contactsOf(call),
    timeline: readTimeline(call.layout, incident),
    assessment: found,
    at: isoTime(instant(call.now())),
  });
  writeInto(file, text);
  return done(
    { file, report: text },
    `${text}\n${unaudited}`.trim(),
    `${PROGRAM} incident close  # the report is ${file}`,
  );
}
