import * as z from "zod";
import { APP_PASSWORD_NAME } from "../../core/passwords/app-password.ts";
import { VACATION_LIMITS } from "../../core/vacation.ts";
import { time } from "./schemas.ts";

/** What the routes of me-own-routes.ts and account-own-routes.ts take and answer. */

const name = z.string().max(APP_PASSWORD_NAME);
const appPassword = z.object({
  id: z.string(),
  name: z.string(),
  made: time,
  lastUsed: time.nullable().describe("To the minute."),
});

export const appPasswords = z.object({ items: z.array(appPassword) });
export const appPasswordsOf = z.object({
  items: z.array(appPassword.extend({ madeBy: z.string().describe("Who made it, and from where.") })),
});
export const newAppPassword = z.strictObject({ name: name.describe("Of the device, such as phone.") });
export const appPasswordMade = z.object({ id: z.string(), name: z.string(), password: z.string() });
export const appPasswordInPath = z.object({ id: name.describe("As the list tells it.") });
export const appPasswordNamed = z.object({ id: z.string() });
export const forwarding = z.object({
  to: z.array(z.string()).describe("Empty: mail stays in the mailbox."),
  keep: z.boolean().describe("Whether a copy stays in the mailbox."),
});
export const newForwarding = z.strictObject({
  to: z.array(z.string().max(320)).min(1).max(10),
  keep: z.boolean(),
});

export const vacation = z.object({
  vacation: z
    .object({
      subject: z.string().describe("Empty: the reply has the subject of the mail."),
      text: z.string(),
      until: time.nullable().describe("Null: until it is ended."),
    })
    .nullable()
    .describe("Null: no reply is sent."),
});
export const newVacation = z.strictObject({
  subject: z.string().max(VACATION_LIMITS.subject).default(""),
  text: z.string().min(1).max(VACATION_LIMITS.text),
  until: time.nullable().default(null),
});
