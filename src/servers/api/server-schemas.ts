import * as z from "zod";
import { STEPS } from "../../core/incident/incident.ts";
import { SHUT } from "../../core/incident/isolation.ts";
import type { IncidentsReport } from "../../wire/control/told.ts";
import { exactly } from "./exactly.ts";

/** What the routes of server-routes.ts answer, for the router and for `/openapi.json`. */

const time = z.string().describe("ISO 8601 in UTC.");

export const incidents = exactly<IncidentsReport>()(
  z.object({
    incidents: z
      .array(
        z.object({
          id: z.string(),
          title: z.string(),
          openedAt: time,
          since: time.describe("When it may have begun."),
          closedAt: time.nullable().describe("Null while it is open."),
          steps: z.number().int().describe("How many its timeline has."),
        }),
      )
      .describe("The newest first, at most 100."),
    timeline: z
      .array(
        z.object({
          at: time,
          by: z.string(),
          step: z.enum(STEPS),
          says: z.string(),
          audited: z.boolean().describe("Whether the audit has it too: it cannot while the guard is down."),
        }),
      )
      .describe("Of the incident that is open: its last 500 steps, the oldest first. Empty without one."),
    isolation: z
      .object({
        incident: z.string(),
        since: time,
        allow: z.array(z.string()).describe("Who still reaches everything."),
        shut: z.array(z.enum(SHUT)).describe("What has not been lifted yet."),
      })
      .nullable()
      .describe("Null: the server is not isolated."),
  }),
);
