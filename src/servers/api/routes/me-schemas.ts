import * as z from "zod";
import { MAX_PASSWORD_BYTES } from "../../../core/passwords/rule.ts";
import { MAIL_STEPS, type OwnMail, type OwnSignIn } from "../../../wire/control/my-items.ts";
import { exactly } from "./exactly.ts";
import { spamQuery } from "./mail-schemas.ts";
import { time } from "./schemas.ts";

/** What the routes of me-routes.ts and me-changes.ts take and answer. */

const count = z.number().int();

export const signInsQuery = spamQuery;
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

const door = z.object({ host: z.string(), port: count, tls: z.literal("implicit") });
export const client = z.object({
  account: z.string(),
  imap: door,
  smtp: door,
  text: z.string().describe("The same in words."),
});
