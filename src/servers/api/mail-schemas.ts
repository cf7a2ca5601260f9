import * as z from "zod";
import { isQueueId } from "../../core/events/queue-id.ts";
import { parseAccountName, parseAddress } from "../../core/net/address.ts";
import type { QueueChange, QueueItem, SpamScores, WaitingMails } from "../../wire/control/items.ts";
import { QUEUE_STATES } from "../../wire/postfix/queue.ts";
import { exactly } from "./exactly.ts";
import { allowQuery, numberCursor } from "./schemas.ts";

/** What the routes of mail-routes.ts and filter-routes.ts take and answer, for the router and for `/openapi.json`. */

const MOST_IDS = 100;
const time = z.iso.datetime({ precision: 3 }).describe("ISO 8601 in UTC.");
const count = z.number().int();
const next = z.string().nullable().describe("The cursor of the next page; null on the last.");

const text = z.string("is missing, or not text").max(320, "has more than 320 characters");
const account = text.refine((name) => parseAccountName(name) !== null, "is not an account such as anna@example.org");
const address = text.refine((said) => parseAddress(said) !== null, "is not an address such as anna@example.org");
const senderOrBounce = text
  .refine((said) => said === "" || parseAddress(said) !== null, "is not an address such as anna@example.org")
  .describe("The envelope sender; empty: that of a bounce.");
const queueId = z.string("is not text").refine(isQueueId, "is not a queue id such as 4Wxyz12AbCz1");

const chosen = {
  account: account.optional().describe("Mail of this account, by all its addresses. Not together with `sender`."),
  sender: senderOrBounce.optional(),
  recipient: address.optional().describe("Mail with this recipient among those that are left."),
  state: z
    .enum(QUEUE_STATES, `is none of ${QUEUE_STATES.join(", ")}`)
    .optional()
    .describe("Where it waits: deferred, on hold, or being delivered now."),
};
export const queueQuery = allowQuery.extend(chosen);
export const queueItem = exactly<QueueItem>()(
  z.object({
    queueId: z.string(),
    queue: z.string().describe("deferred, hold, active, or another as Postfix names it."),
    heldFor: z
      .string()
      .nullable()
      .describe(
        "The account for which the guard holds it, or `root` if it was put on hold by hand; null: it is not held.",
      ),
    at: time,
    sizeBytes: count,
    sender: z.string().describe("Envelope sender; empty: a bounce."),
    recipientCount: count,
    recipients: z
      .array(z.object({ address: z.string(), reason: z.string().nullable() }))
      .describe("Some of those that are left; the reason is the reply of the other server at the last try."),
    nextTryAt: time.nullable(),
  }),
);
export const queuePage = z.object({
  items: z.array(queueItem).describe("The oldest first."),
  next,
  total: count.describe("How many fit, on all pages."),
});

const ids = z.array(queueId, "is not a list").min(1, "is empty").max(MOST_IDS, `has more than ${MOST_IDS} queue ids`);
const choice = {
  ids: ids.optional().describe("Only these mails."),
  ...chosen,
  cursor: allowQuery.shape.cursor.describe("`next` of the answer before: goes on behind it."),
};
const NONE = "names no mail: ids, account, sender or recipient is needed";
type Choice = Readonly<{ ids?: unknown; account?: unknown; sender?: unknown; recipient?: unknown }>;
const namesSome = (body: Choice): boolean =>
  [body.ids, body.account, body.sender, body.recipient].some((one) => one !== undefined);
/** For what cannot be undone. */
export const someMail = z.strictObject(choice).refine(namesSome, NONE);
export const mailChoice = z
  .strictObject({ ...choice, all: z.literal(true, "is not true").optional().describe("All mail is meant.") })
  .refine((body) => body.all === true || namesSome(body), `${NONE}, or all`)
  .refine((body) => body.all !== true || !namesSome(body), "names some mail and all");
export const queueChanged = exactly<QueueChange>()(
  z.object({
    changed: count,
    kept: z
      .array(z.object({ account: z.string(), mails: count }))
      .describe("What the guard holds for these accounts, and was left alone."),
    next: z
      .string()
      .nullable()
      .describe("Where the rest begins, for `cursor` of the same request; null: none is left."),
  }),
);

export const waitingList = exactly<WaitingMails>()(
  z.object({
    items: z
      .array(
        z.object({
          sender: z.string().describe("Envelope sender; empty: a bounce."),
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
