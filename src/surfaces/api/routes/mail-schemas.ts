import * as z from "zod";
import {
  MAIL_STEPS,
  type OwnMail,
  type OwnSignIn,
  type SpamScores,
  type WaitingMails,
} from "../../../admin/declare/items.ts";
import { MAX_PASSWORD_BYTES } from "../../../core/access/passwords.ts";
import { exactly } from "./exactly.ts";
import { allowQuery, numberCursor, time } from "./schemas.ts";

/** What the routes of filter-routes.ts and me-routes.ts take and answer, for the router and for `/openapi.json`. */

const moment = z.iso.datetime({ precision: 3 }).describe("ISO 8601 in UTC.");
const count = z.number().int();
const next = z.string().nullable().describe("The cursor of the next page; null on the last.");

export const waitingList = exactly<WaitingMails>()(
  z.object({
    items: z
      .array(
        z.object({
          sender: z.string().describe("Envelope sender; empty: a bounce or an automatic reply."),
          recipient: z.string(),
          ip: z.string().nullable().describe("From where it came last."),
          since: moment.describe("Its first try within this time."),
          lastTryAt: moment,
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

export const pageQuery = z.object({ limit: allowQuery.shape.limit, cursor: numberCursor });
export const spamPage = exactly<SpamScores>()(
  z.object({
    items: z.array(
      z.object({
        id: count,
        at: moment,
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

const wholeNumber = z.number().int();

export const signIns = z.object({
  items: z.array(
    exactly<OwnSignIn>()(
      z.object({
        at: time,
        ip: z.string().nullable(),
        service: z.string().nullable().describe("Such as `imap`, `submission`, `dashboard`."),
        isRight: z.boolean(),
        what: z
          .enum(["signed_in", "wrong_password", "slowed", "refused"])
          .describe("`slowed`: it had to wait; `refused`: its password was not looked at."),
      }),
    ),
  ),
  next: z.string().nullable().describe("The cursor of the next page; null on the last."),
});

export const mailQuery = z.object({
  id: z
    .string("is missing")
    .min(1, "is empty")
    .max(998, "has more than 998 characters")
    .describe("A Message-ID, with or without its brackets, or a queue id."),
});
const mailStep = z.enum(MAIL_STEPS);
export const ownMail = exactly<OwnMail>()(
  z.object({
    state: mailStep.describe("That of the last step."),
    steps: z.array(z.object({ at: time, what: mailStep, says: z.string() })),
  }),
);

export const newPassword = z.strictObject({
  password: z
    .string("is missing, or not text")
    .min(1, "is empty")
    .max(MAX_PASSWORD_BYTES, `has more than ${MAX_PASSWORD_BYTES} characters`),
});
export const done = z.object({ done: z.literal(true) });

const door = z.object({ host: z.string(), port: wholeNumber, tls: z.literal("implicit") });
export const client = z.object({
  account: z.string(),
  imap: door,
  smtp: door,
  text: z.string().describe("The same in words."),
});
