import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ourselves } from "../../adapters/root-files/directory.ts";
import { appendFile } from "../../adapters/root-files/files.ts";
import { writeRecord } from "../../adapters/root-files/record-file.ts";
import { giveDirectory } from "../../adapters/root-files/trees.ts";
import {
  type Incident,
  incidentId,
  isIncidentId,
  parseEntry,
  parseIncident,
  type TimelineEntry,
} from "../../core/incident/incident.ts";
import type { Layout } from "../../settings/layout.ts";

type Incidents = Pick<Layout, "incidents">;

const RECORD = "incident.json";
const TIMELINE = "timeline.jsonl";

/** Where everything about an incident is kept. */
export function folderOf({ incidents }: Incidents, { id }: Pick<Incident, "id">): string {
  return join(incidents, id);
}

/** All incidents, oldest first. Skips a folder whose record cannot be read. */
export function readIncidents({ incidents }: Incidents): readonly Incident[] {
  if (!existsSync(incidents)) return [];
  return readdirSync(incidents)
    .filter(isIncidentId)
    .flatMap((id) => {
      const file = join(incidents, id, RECORD);
      return existsSync(file) ? (parseIncident(readFileSync(file, "utf8")) ?? []) : [];
    })
    .toSorted((a, b) => (a.openedAt < b.openedAt ? -1 : 1));
}

/** Creates its folder; a second one with that day and name gets a number. */
export function openIncident(
  layout: Incidents,
  { title, openedAt, since }: Pick<Incident, "title" | "openedAt" | "since">,
): Incident {
  const name = incidentId(title, openedAt);
  let id = name;
  for (let nth = 2; existsSync(join(layout.incidents, id)); nth += 1) id = `${name}-${nth}`;
  const incident: Incident = { id, title, openedAt, since, closedAt: null };
  prepareFolder(layout.incidents);
  prepareFolder(folderOf(layout, incident));
  keepIncident(layout, incident);
  return incident;
}

export function keepIncident(layout: Incidents, incident: Incident): void {
  writeRecord(join(folderOf(layout, incident), RECORD), incident);
}

/** Only for root. */
export function prepareFolder(path: string): void {
  giveDirectory(path, { mode: 0o700, owner: ourselves() });
}

/** Ends a line that a power failure truncated before adding this one. */
export function appendEntry(layout: Incidents, incident: Incident, entry: TimelineEntry): void {
  const file = join(folderOf(layout, incident), TIMELINE);
  const isCut = existsSync(file) && !/(?:^|\n)$/.test(readFileSync(file, "utf8"));
  appendFile(file, `${isCut ? "\n" : ""}${JSON.stringify(entry)}\n`);
}

/** Oldest first. */
export function readTimeline(layout: Incidents, incident: Incident): readonly TimelineEntry[] {
  const file = join(folderOf(layout, incident), TIMELINE);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => parseEntry(line) ?? []);
}
