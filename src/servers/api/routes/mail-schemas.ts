import * as z from "zod";
import type { SpamScores, WaitingMails } from "../../../wire/control/items.ts";
import { exactly } from "./exactly.ts";
import { allowQuery, numberCursor } from "./schemas.ts";

/** What the routes of filter-routes.ts take and answer, for the router and for `/openapi.json`. */

const time = z.iso.datetime({ precision: 3 }).describe("ISO 8601 in UTC.");
const count = z.number().int();
const next = z.string().nullable().describe("The cursor of the next page; null on the last.");

export const waitingList = exactly<WaitingMails>()(
  z.object({
    items: z
      .array(
        z.object({
          sender: z.string().describe("Envelope sender; empty: a bounce or a vacation reply."),
          recipient: z.string(),
          ip: z.string().nullable().describe("From where it came last."),
          since: time.describe("Its first try within this time."),
          lastTryAt: time,
          tries: count,
          waitsFor: z
            .enum(["retry", "crowd"])
            .describe("retry: for the sender's server to try again. crowd: as long as many new senders write."),
        }),
      )
      .describe("The latest first, 100 at most."),
    total: count.describe("How many wait, as far as was looked."),
    complete: z.boolean().describe("False: there were more events than are looked at, and only the newest count."),
  }),
);

export const spamQuery = z.object({ limit: allowQuery.shape.limit, cursor: numberCursor });
export const spamPage = exactly<SpamScores>()(
  z.object({
    items: z.array(
      z.object({
        id: count,
        at: time,
        recipient: z.string().nullable().describe("Null: several, or not known."),
        messageId: z.string().nullable(),
        isSpam: z.boolean(),
        score: z.number().nullable().describe("Null: an older version noted it."),
        required: z.number().nullable().describe("From how many points on it is spam."),
      }),
    ),
    next,
    days: z
      .array(z.object({ day: z.iso.date().describe("In UTC."), scored: count, spam: count }))
      .describe("The newest first, 14 at most; empty on later pages."),
    complete: z.boolean().describe("False: there are more than were counted, and the oldest day is short."),
  }),
);
