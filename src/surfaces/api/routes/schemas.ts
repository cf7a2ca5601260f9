import * as z from "zod";
import * as mini from "zod/mini";
import { passkeyUsed } from "../../../admin/access.ts";
import { ban, banTime } from "../../../admin/bans.ts";
import { eventItem, stats, status, time } from "../../../admin/declare/items.ts";
import { count, list, meaning, NOTE_CHARACTERS, network, next, note } from "../../../admin/declare/kinds.ts";
import { PAGE } from "../../../admin/declare/paging.ts";
import { EVENT_TYPES } from "../../../core/events/event-types.ts";
import { parseAccountName } from "../../../core/net/address.ts";
import { type Prefix, parseIp, parsePrefix, prefixOf } from "../../../core/net/ip.ts";
import { DAY_MS, instant, SECOND_MS } from "../../../core/time.ts";
import { each } from "../../../guard/explain/stats.ts";
import { RANKINGS } from "../../../guard/figures.ts";

/** Schemas of requests, which are checked on arrival, and of answers. `/openapi.json` shows both. */

const MOST_TYPES = 20;
const LONGEST_STEP_SECONDS = (30 * DAY_MS) / SECOND_MS;

/** Replaces an IPv6 address by the network in which it is judged. */
export const subject = (ipv6Prefix: number) =>
  z
    .string()
    .max(64, "is not an IP address or a network")
    .transform((text, context): Prefix => {
      const ip = parseIp(text);
      const prefix = ip === null ? parsePrefix(text) : prefixOf(ip, ipv6Prefix);
      if (prefix !== null) return prefix;
      context.addIssue("is not an IP address or a network");
      return z.NEVER;
    })
    .describe("An IP address or a network.")
    .meta({ examples: ["203.0.113.7"] });

/** `fault`: the message for a value that is not text. */
export const textUpTo = (most: number, fault?: string) => z.string(fault).max(most, `has more than ${most} characters`);

const wholeNumber = (most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "is not a whole number")
    .transform(Number)
    .refine((value) => value <= most, `is more than ${most}`);

const eventType = z
  .enum(EVENT_TYPES, "is not an event type such as LOGIN_FAILED")
  .describe("A type of event.")
  .meta({ id: "EventType" });

const limit = wholeNumber(PAGE.most)
  .refine((value) => value > 0, "is zero")
  .optional()
  .describe(`Maximum number of items: 1 to ${PAGE.most}; ${PAGE.usual} if absent.`);
const cursor = wholeNumber(Number.MAX_SAFE_INTEGER).optional().describe("`next` of the page before.");
const resumeAfter = wholeNumber(Number.MAX_SAFE_INTEGER)
  .optional()
  .describe("Start after this id, as Last-Event-ID does.");
export const numberedQuery = z.object({ limit, cursor });
export const bansQuery = z.object({
  limit,
  cursor,
  text: textUpTo(NOTE_CHARACTERS)
    .optional()
    .describe("Only bans with this in their network, reason or source, such as `203.0.113.`."),
});

export const securityQuery = z.object({
  action: z.enum(["stats", "cleanup"], "is neither stats nor cleanup").describe("What to do."),
});
export const securityCommand = z.discriminatedUnion(
  "action",
  [
    z.strictObject({ action: z.literal("ban"), ip: network, reason: note, for: banTime }),
    z.strictObject({ action: z.literal("unban"), ip: network, reason: note }),
  ],
  { error: "is neither ban nor unban" },
);
/** Keeps an IPv6 address as it is (128), to find bans and entries narrower than its network too. */
export const ipInPath = z.object({ ip: subject(128) });

/** An account as typed; it need not exist. */
const account = textUpTo(320).min(1, "is empty").describe("An account, or a name that was tried.");
export const accountInPath = z.object({ account });
export const messageInPath = z.object({
  message: textUpTo(998)
    .min(3, "is too short")
    .describe("A queue id, or a Message-ID with or without its angle brackets."),
});

const timeAsked = z.iso
  .datetime({ offset: true, error: "is not a time such as 2026-11-21T07:00:00Z" })
  .transform((text) => instant(Date.parse(text)))
  .optional();
export const eventsQuery = (ipv6Prefix: number) =>
  z.object({
    ip: subject(ipv6Prefix).optional(),
    account: account.optional().describe("What an account did, the mail that it received, and changes to it."),
    type: z
      .array(eventType)
      .max(MOST_TYPES, `is given more than ${MOST_TYPES} times`)
      .optional()
      .describe("Only events of this type; repeat it for several."),
    text: textUpTo(NOTE_CHARACTERS)
      .optional()
      .describe("Only events whose displayed text contains this, ignoring case."),
    from: timeAsked.describe("Only events of this time or later."),
    to: timeAsked.describe("Only events of this time or earlier."),
    cursor,
    limit,
  });
export const streamQuery = (ipv6Prefix: number) =>
  z.object({
    ip: subject(ipv6Prefix).optional(),
    type: eventType.optional().describe("Only events of this type."),
    after: resumeAfter,
  });
export const pageQuery = z.object({ since: resumeAfter });
export const figuresQuery = z
  .object({
    from: timeAsked.describe("24 hours before `to` if absent; at most 400 days ago."),
    to: timeAsked.describe("Now if absent; rounded up to a whole hour if more than two days ago."),
    step: wholeNumber(LONGEST_STEP_SECONDS)
      .refine((seconds) => seconds >= 60 && seconds % 60 === 0, "is not a whole number of minutes, in seconds")
      .optional()
      .describe(
        "Length of a step in seconds. Lengthened if there would be too many steps, and to whole hours if `from` is more than two days ago.",
      ),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, "from is not before to");
export const topQuery = z.object({
  by: z
    .enum(RANKINGS, `is none of ${RANKINGS.join(", ")}`)
    .optional()
    .describe(
      "What to rank by; `mails` if absent. Mails sent or attempted; refusals and deferrals; failed or refused sign-ins.",
    ),
  from: timeAsked.describe("24 hours ago if absent; at most 30 days ago."),
  limit,
});
const passwordGiven = z.object({
  password: textUpTo(1_024, "is missing, or not text").min(1, "is empty"),
  code: textUpTo(64, "is not text")
    .optional()
    .describe("If a second factor is set up: a code of the authenticator app, or a recovery code."),
});
const passkeyGiven = z.object({ passkey: z.strictObject(passkeyUsed) });
const withAccount = z.object({
  ...passwordGiven.shape,
  account: z
    .string("is not text")
    .refine((text) => parseAccountName(text) !== null, "is not an account name such as anna@example.org")
    .optional()
    .describe("The mailbox whose user signs in. Without it, the administrator does."),
});
export const loginRequest = z.union([passkeyGiven, withAccount]);
export const proofRequest = z.union([passkeyGiven, passwordGiven]);

export const publicHealth = z
  .object({
    version: z.string().describe("Of GhostInbox."),
    status,
    components: z.array(z.object({ name: z.string(), status })),
  })
  .meta({ id: "PublicHealth" });
export const alive = z.object({ status: z.literal("ok") });
export const figures = z.object({
  from: time,
  to: time,
  stepSeconds: count,
  series: z
    .object(each(() => z.array(count)))
    .describe("Counts for each step. `refused`: mails and connections; `bans`: new bans."),
});
export const top = z.object({
  by: z.enum(RANKINGS),
  from: time,
  items: z.array(z.object({ ip: z.string(), count })).describe("Highest count first."),
});
const cleaned = z.object({ success: z.literal(true), action: z.literal("cleanup"), expired: count });
export const statsOrCleaned = z.union([stats(), cleaned]);
export const securityResult = z.discriminatedUnion("action", [
  z.object({ success: z.literal(true), action: z.literal("ban"), ban: ban() }),
  z.object({ success: z.literal(true), action: z.literal("unban"), prefix: z.string() }),
]);
export const banPage = z.object({ items: list(ban()), next, active: count });
export const eventPage = z.object({
  items: meaning(list(eventItem()), "Newest first."),
  next,
  searchedTo: meaning(mini.nullable(time), "The time of the oldest event that was searched; null on the last page."),
});
