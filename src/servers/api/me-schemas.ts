import * as z from "zod";
import type { MyMailbox } from "../../wire/control/results.ts";
import { exactly } from "./exactly.ts";
import { time } from "./schemas.ts";

/** What the routes of me-routes.ts take and answer. */

const count = z.number().int();

export const mailbox = exactly<MyMailbox>()(
  z.object({
    account: z.string(),
    quotaBytes: count.describe("0: no limit."),
    usedBytes: count.nullable().describe("Null: it is not known now."),
    mails: count.nullable().describe("Null: it is not known now."),
    aliases: z.array(z.string()).describe("Other addresses whose mail comes to it, 100 at most."),
    networks: z.array(z.string()).describe("From where it may sign in; empty: from anywhere."),
    guarded: z.boolean().describe("Strangers guess at its password, so new places are limited."),
    greylistPausedUntil: time.nullable(),
    passwordOnServer: z
      .boolean()
      .describe("Its password is changed on the server alone, which makes a key for its mail."),
  }),
);
