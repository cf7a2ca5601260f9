import type { Layout } from "../../settings/layout.ts";
import type { IncidentsReport } from "../../wire/control/reports.ts";
import { readIncidents, readTimeline } from "./folder.ts";
import { readIsolation } from "./isolation.ts";

/** Maximum incidents listed, newest first, to keep the answer small. */
const MOST_INCIDENTS = 100;
const MOST_STEPS = 500;
/** As long as a note in the audit. */
const MOST_CHARACTERS = 480;

/** The output of `incident list`, for readers without access to the folders: what the audit has too, and the isolation. */
export function incidentsOf(layout: Pick<Layout, "incidents" | "isolation">): IncidentsReport {
  const all = readIncidents(layout);
  const open = all.findLast(({ closedAt }) => closedAt === null);
  const isolation = readIsolation(layout);
  return {
    incidents: all
      .slice(-MOST_INCIDENTS)
      .toReversed()
      .map((one) => ({ ...one, steps: readTimeline(layout, one).length })),
    timeline: (open === undefined ? [] : readTimeline(layout, open))
      .slice(-MOST_STEPS)
      .map(({ at, by, step, says, audited }) => ({ at, by, step, says: says.slice(0, MOST_CHARACTERS), audited })),
    isolation: isolation && {
      incident: isolation.incident,
      since: isolation.since,
      allow: isolation.allow,
      shut: isolation.shut,
    },
  };
}
