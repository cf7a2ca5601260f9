import * as z from "zod";
import * as mini from "zod/mini";
import { passkeyUsed } from "../../../admin/access.ts";
import { accountState } from "../../../admin/accounts.ts";
import { allowed, ban } from "../../../admin/bans.ts";
import {
  type AccountAnswer,
  type AddressAnswer,
  type AddressReport,
  type EventItem,
  type Health,
  type MessageReport,
  type Stats,
  TASK_KINDS,
  type TimelineStep,
} from "../../../admin/declare/items.ts";
import { durationOrPermanent, list, network, note } from "../../../admin/declare/kinds.ts";
import { PAGE } from "../../../admin/declare/paging.ts";
import { NOTICE_CODES } from "../../../core/alerts/notices.ts";
import { EVENT_TYPES } from "../../../core/events/event-types.ts";
import { parseAccountName } from "../../../core/net/address.ts";
import { type Prefix, parseIp, parsePrefix, prefixOf } from "../../../core/net/ip.ts";
import { DAY_MS, instant, SECOND_MS } from "../../../core/time.ts";
import { each } from "../../../guard/explain/stats.ts";
import { RANKINGS } from "../../../guard/figures.ts";
import { exactly } from "./exactly.ts";

/** The shapes of requests and answers: checked on arrival, shown in `/openapi.json`. */

const NOTE_CHARACTERS = 200;
const MOST_TYPES = 20;
const LONGEST_STEP_SECONDS = (30 * DAY_MS) / SECOND_MS;

/** An IPv6 address stands for the network in which it is judged. */
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
  .describe(`How many at most: 1 to ${PAGE.most}; ${PAGE.usual} if absent.`);
export const numberCursor = wholeNumber(Number.MAX_SAFE_INTEGER).optional().describe("`next` of the page before.");
const textCursor = z
  .string()
  .max(PAGE.cursorCharacters, "is not a cursor")
  .optional()
  .describe("`next` of the page before.");
export const bansQuery = z.object({
  limit,
  cursor: numberCursor,
  text: z
    .string()
    .max(NOTE_CHARACTERS, `has more than ${NOTE_CHARACTERS} characters`)
    .optional()
    .describe("Only bans with this in their network, reason or source, such as `203.0.113.`."),
});
export const allowQuery = z.object({ limit, cursor: textCursor });

export const securityQuery = z.object({
  action: z.enum(["stats", "cleanup"], "is neither stats nor cleanup").describe("What to do."),
});
const banFields = {
  ip: network,
  reason: note,
  for: durationOrPermanent("How long: 30m, 2h, 7d, or permanent. The setting bans.manual if absent."),
};
export const securityCommand = z.discriminatedUnion(
  "action",
  [
    z.strictObject({ action: z.literal("ban"), ...banFields }),
    z.strictObject({ action: z.literal("unban"), ip: network, reason: note }),
  ],
  { error: "is neither ban nor unban" },
);
export const ipInPath = (ipv6Prefix: number) => z.object({ ip: subject(ipv6Prefix) });

/** An account as typed; it need not exist. */
const account = z
  .string()
  .min(1, "is empty")
  .max(320, "has more than 320 characters")
  .describe("An account, or a name that was tried.");
export const accountInPath = z.object({ account });
export const messageInPath = z.object({
  message: z
    .string()
    .min(3, "is too short")
    .max(998, "has more than 998 characters")
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
      .max(MOST_TYPES, `is there more than ${MOST_TYPES} times`)
      .optional()
      .describe("Only events of this type; of several if it is there several times."),
    text: z
      .string()
      .max(NOTE_CHARACTERS, `has more than ${NOTE_CHARACTERS} characters`)
      .optional()
      .describe("Only events that are shown with this text, in large or small letters."),
    from: timeAsked.describe("Only events of this time or later."),
    to: timeAsked.describe("Only events of this time or earlier."),
    cursor: numberCursor,
    limit,
  });
export const streamQuery = (ipv6Prefix: number) =>
  z.object({
    ip: subject(ipv6Prefix).optional(),
    type: eventType.optional().describe("Only events of this type."),
    after: wholeNumber(Number.MAX_SAFE_INTEGER).optional().describe("Start after this id, as Last-Event-ID does."),
  });
export const pageQuery = z.object({
  since: wholeNumber(Number.MAX_SAFE_INTEGER).optional().describe("Start after this id, as Last-Event-ID does."),
});
export const figuresQuery = z
  .object({
    from: timeAsked.describe("24 hours ago if absent; at most 400 days ago."),
    to: timeAsked.describe("Now if absent."),
    step: wholeNumber(LONGEST_STEP_SECONDS)
      .refine((seconds) => seconds >= 60 && seconds % 60 === 0, "is not a whole number of minutes, in seconds")
      .optional()
      .describe("Seconds a step. Longer if that would be too many steps, and whole hours for what is two days ago."),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, "from is not before to");
export const topQuery = z.object({
  by: z
    .enum(RANKINGS, `is none of ${RANKINGS.join(", ")}`)
    .optional()
    .describe(
      "By mails if absent. Mails sent or attempted; whatever was refused or deferred; sign-ins that failed or were refused.",
    ),
  from: timeAsked.describe("24 hours ago if absent; at most 30 days ago."),
  limit,
});
const passwordGiven = z.object({
  password: z.string("is missing, or not text").min(1, "is empty").max(1_024, "has more than 1024 characters"),
  code: z
    .string("is not text")
    .max(64, "has more than 64 characters")
    .optional()
    .describe("Where a second factor is set up: the code of the authenticator app, or a recovery code."),
});
const passkeyGiven = z.object({ passkey: z.strictObject(passkeyUsed) });
const withAccount = z.object({
  ...passwordGiven.shape,
  account: z
    .string("is not text")
    .refine((text) => parseAccountName(text) !== null, "cannot be an account such as anna@example.org")
    .optional()
    .describe("The mailbox whose user signs in. Without it, the administrator does."),
});
export const loginRequest = z.union([passkeyGiven, withAccount]);
export const proofRequest = z.union([passkeyGiven, passwordGiven]);

export const time = z.iso.datetime({ precision: 3 }).describe("ISO 8601 in UTC.").meta({ id: "Time" });
const count = z.number().int();
const banItem = ban();
export const eventItem = exactly<EventItem>()(
  z
    .object({
      id: count,
      at: time,
      type: z.string(),
      service: z.string().nullable(),
      ip: z.string().nullable(),
      account: z.string().nullable(),
      sender: z.string().nullable().describe("Envelope sender; empty: a bounce or an automatic reply."),
      recipient: z.string().nullable(),
      queueId: z.string().nullable(),
      messageId: z.string().nullable(),
      helo: z.string().nullable(),
      sizeBytes: count.nullable(),
      verdict: z.string().nullable(),
      reason: z.string().nullable(),
      offence: count.nullable().describe("Of a ban: which offence this is."),
      count: count.nullable(),
      limit: count.nullable(),
      windowMs: count.nullable(),
      limitKey: z.string().nullable().describe("The setting that the limit is."),
      simulated: z
        .string()
        .nullable()
        .describe(
          "While `simulate` was set: the verdict, or `ban`, that would have come. Nothing was refused or banned.",
        ),
      actor: z.string().nullable().describe("Who gave the command."),
      details: z.string(),
      action: z.string(),
    })
    .meta({ id: "Event" }),
);
const next = z.string().nullable().describe("The cursor of the next page; null on the last.");
const status = z.enum(["ok", "degraded", "down"]);
export const healthReport = exactly<Health>()(
  z
    .object({
      status,
      components: z.array(z.object({ name: z.string(), status, detail: z.string() })),
      notices: z.array(
        z.object({
          code: z.enum(NOTICE_CODES),
          since: time,
          says: z.string(),
          detail: z.string(),
          next: z.string(),
        }),
      ),
      needsYou: z
        .array(
          z.object({
            kind: z.enum(TASK_KINDS).describe("Where to deal with it."),
            code: z.string(),
            since: time.nullable(),
            says: z.string(),
            action: z.string(),
          }),
        )
        .describe(
          "What waits for the owner: notices, alerts, held mail, missing DNS records, a guard that does not answer. Empty: nothing does.",
        ),
      uptimeSeconds: z.number(),
    })
    .meta({ id: "Health" }),
);
export const publicHealth = z
  .object({
    version: z.string().describe("Of GhostInbox."),
    status,
    components: z.array(z.object({ name: z.string(), status })),
  })
  .meta({ id: "PublicHealth" });
export const alive = z.object({ status: z.literal("ok") });
export const stats = exactly<Stats>()(
  z
    .object({
      generatedAt: time,
      bans: z.object({
        active: count.describe("How many are in force."),
        items: z.array(banItem).describe("All in force, newest first; at most 10,000."),
        next: z.string().nullable().describe("The cursor for the rest in `/api/v1/bans`; null if there is none."),
      }),
      events: z.array(eventItem),
      topIps: z.array(z.object({ ip: z.string(), mails: count, connections: count, rejected: count })),
      counts: z.record(z.string(), count).describe("Events of the last 24 hours by type."),
      health: healthReport,
    })
    .meta({ id: "Stats" }),
);
export const figures = z.object({
  from: time,
  to: time,
  stepSeconds: count,
  series: z
    .object(each(() => z.array(count)))
    .describe("How often it happened in each step. `refused`: mails and connections; `bans`: new bans."),
});
export const top = z.object({
  by: z.enum(RANKINGS),
  from: time,
  items: z.array(z.object({ ip: z.string(), count })).describe("The most first."),
});
const addressReport = exactly<AddressReport>()(
  z
    .object({
      ban: z.nullable(banItem),
      pastBans: z.array(mini.extend(banItem, { endedAt: time.nullable(), ended: z.string().nullable() })),
      offencesInMemory: count,
      allowed: z.nullable(allowed()),
      knownAccounts: z
        .array(z.string())
        .describe("Accounts that signed in from it; of a network, from any part of it."),
      totals: z
        .object({ pastBans: count, knownAccounts: count })
        .describe("How many there are of what is listed in part: the newest 50 past bans, 50 accounts."),
      events: z.array(eventItem),
    })
    .meta({ id: "AddressReport" }),
);
const timelineStep = exactly<TimelineStep>()(
  eventItem
    .extend({
      source: z.enum(["smtp", "login", "spam", "delivery", "web", "fail2ban", "detector", "firewall", "administrator"]),
      evidence: z.string().describe("What was counted, within which time, and the limit; empty where nothing was."),
      meaning: z.string(),
      lift: z.string().nullable().describe("What lifts or fixes it; null if nothing needs to be done."),
      settings: z.array(z.string()).describe("The settings that would have prevented it."),
    })
    .meta({ id: "TimelineStep" }),
);
const timeline = z.array(timelineStep).describe("The oldest first.");
export const addressAnswer = exactly<AddressAnswer>()(
  addressReport
    .extend({
      timeline,
      protection: z
        .string()
        .nullable()
        .describe(
          "What forbids a ban just now, such as `allow_listed` or `gateway`; null: nothing, or it is not known.",
        ),
      protectionUnknown: z.boolean().describe("True: the guard did not answer, so that `protection` is not known."),
    })
    .meta({ id: "AddressStory" }),
);
export const accountAnswer = exactly<AccountAnswer>()(
  z
    .object({
      account: z.string(),
      state: z
        .optional(z.nullable(accountState()))
        .describe("The current state. Null: there is no such account. Absent: the guard did not answer."),
      addresses: z.array(z.object({ ip: z.string(), succeeded: count, failed: count, lastAt: time })),
      own: z
        .array(timelineStep)
        .describe("What it did itself and how it was changed: the newest of each type, oldest first."),
      complete: z
        .boolean()
        .describe("False: there is more, and `timeline` and `addresses` tell only the newest events."),
      timeline,
    })
    .meta({ id: "AccountStory" }),
);
export const messageReport = exactly<MessageReport>()(
  z
    .object({
      asked: z.string(),
      queueIds: z.array(z.string()),
      messageIds: z.array(z.string()),
      otherQueueIds: z
        .array(z.string())
        .describe("Mails with the same Message-ID that are not shown here, newest first: ask by their queue ids."),
      complete: z.boolean().describe("False: there are more events or mails, and only the newest are shown."),
      timeline,
    })
    .meta({ id: "MailStory" }),
);
export const cleaned = z.object({ success: z.literal(true), action: z.literal("cleanup"), expired: count });
export const securityResult = z.discriminatedUnion("action", [
  z.object({ success: z.literal(true), action: z.literal("ban"), ban: banItem }),
  z.object({ success: z.literal(true), action: z.literal("unban"), prefix: z.string() }),
]);
export const banPage = z.object({ items: list(mini.array(banItem)), next, active: count });
export const eventPage = z.object({
  items: z.array(eventItem).describe("Newest first."),
  next,
  searchedTo: time.nullable().describe("The time of the oldest event that was looked at; null on the last page."),
});
