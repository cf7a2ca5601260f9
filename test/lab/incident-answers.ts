import * as z from "zod/mini";
import { UNLIMITED } from "./for-tests.ts";

const MANY = "1000";

/** Limits that allow 150 mails within a minute. Those for mail to strangers are the defaults. */
export const SETTINGS = {
  GHOSTINBOX_ALERTS__CONTACTS: "Eve +49 30 901820",
  ...UNLIMITED,
  GHOSTINBOX_LIMITS__SENDING__RECIPIENTS_PER_MINUTE: MANY,
  GHOSTINBOX_LIMITS__SENDING__RECIPIENTS_PER_HOUR: MANY,
  GHOSTINBOX_LIMITS__SENDING__RECIPIENTS_PER_DAY: MANY,
};

/** The --json output of incident commands, as far as tests read it. */
export const assessed = z.object({
  accounts: z.array(
    z.object({ account: z.string(), mails: z.number(), held: z.number(), newPlaces: z.array(z.string()) }),
  ),
  sessions: z.array(z.object({ account: z.string(), ip: z.string() })),
  mails: z.array(z.object({ recipients: z.array(z.string()), reached: z.array(z.string()), isHeld: z.boolean() })),
});
export const contained = z.object({ did: z.array(z.string()), printed: z.array(z.string()) });
export const packed = z.object({ file: z.string(), files: z.number(), sha256: z.string(), lacks: z.array(z.string()) });
export const compared = z.object({
  compared: z.object({ differences: z.array(z.object({ what: z.string(), is: z.nullable(z.string()) })) }),
});
export const dropped = z.object({ dropped: z.number(), kept: z.array(z.string()) });
