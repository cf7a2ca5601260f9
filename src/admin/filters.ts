import * as z from "zod/mini";
import { dayAndTime, until } from "../core/time.ts";
import { done } from "./access.ts";
import { type OutputOf, object } from "./declare/fields.ts";
import { accountName, duration, mailAddress, meaning, page, pageOf, senderPattern, time } from "./declare/kinds.ts";
import { ALLOW, changes, GREYLIST, OWN, orItsUser, READ, reads, verb } from "./declare/verb.ts";

/** Exceptions that let more mail in: pauses of greylisting, and allowed senders. */

const ofRecipient = { recipient: meaning(mailAddress, "Who is waiting for a mail, such as one with a code.") };
const lasts = duration("How long, 30 days at most; 15m if absent.");
const pause = object(() => ({ target: z.string(), until: time, by: z.string() }));
export type GreylistPauseItem = OutputOf<typeof pause>;

const ofSender = { account: accountName, sender: senderPattern };
const sender = object(() => ({ account: z.string(), sender: z.string(), by: z.string(), at: time }));
export type AllowedSenderItem = OutputOf<typeof sender>;
const named = object(() => ({ account: z.string(), sender: z.string() }));

const ALLOWS = "Never treat a sender's mail to an account as spam, if SPF or DKIM proves the sender.";
const pauses = pageOf(pause);
const senders = pageOf(sender);
const resumed = object(() => ({ target: z.string() }));

const DONE = { answer: done, shape: () => ({ done: true }) };

const TO_PAUSE = orItsUser(GREYLIST, "recipient", { costs: false });
const TO_ALLOW = orItsUser(ALLOW, "account", { costs: false });

export const FILTER_VERBS = [
  verb("greylist_pause", TO_PAUSE, { ...ofRecipient, for: lasts }, changes(pause, "mail"))
    .http("POST /greylist/pauses", "Pauses greylisting for a recipient who waits for a mail.", { status: 201 })
    .http("POST /me/greylist-pause", "Accepts mail from strangers to the mailbox at once, for a while.", OWN)
    .cli("greylist pause ADDRESS", "Accept mail from strangers to a recipient at once, for example a sign-up code.", {
      words: ["recipient"],
      options: { for: { name: "for", value: "TIME", says: "How long: 30m, 2h; the default is 15 minutes." } },
      json: (made) => ({ pause: made }),
      done: (made, _, nowMs) => `Mail from strangers to ${made.target} passes at once ${until(made.until, nowMs)}.`,
      next: "greylist list",
    }),
  verb("greylist_resume", TO_PAUSE, ofRecipient, changes(resumed, "mail"))
    .http("DELETE /greylist/pauses/{recipient}", "Ends a pause of greylisting.")
    .http("DELETE /me/greylist-pause", "Ends the pause.", { ...OWN, ...DONE })
    .cli("greylist resume ADDRESS", "End a pause early.", {
      words: ["recipient"],
      done: ({ target }) => `Mail from strangers to ${target} is greylisted again.`,
      next: "greylist list",
    }),
  verb("greylist_list", READ, page(), reads(pauses))
    .http("GET /greylist/pauses", "Recipients for whom greylisting is paused, a page at a time.")
    .cli("greylist list", "Show the recipients for whom greylisting is paused.", {
      table: {
        things: "pauses",
        member: "pauses",
        head: ["RECIPIENT", "UNTIL", "BY"],
        row: (one) => [one.target, dayAndTime(one.until), one.by],
        none: "Greylisting is paused for no one.",
        first: "greylist pause ADDRESS --for 15m",
      },
    }),
  verb("spam_allow_add", TO_ALLOW, ofSender, changes(named, "mail"))
    .http("POST /spam/senders", "Mail proven to be from the sender is not spam for the account.", { status: 201 })
    .http("POST /me/senders", "Mail proven to be from the sender is not spam in the mailbox.", { ...OWN, status: 201 })
    .cli("spam allow add ACCOUNT SENDER", ALLOWS, {
      words: ["account", "sender"],
      done: (it) => `Mail to ${it.account} that is proven to be from ${it.sender} is no longer treated as spam.`,
      next: "spam allow list",
    }),
  verb("spam_allow_remove", TO_ALLOW, ofSender, changes(named, "mail"))
    .http("DELETE /spam/senders", "Mail of the sender to the account is scored again.")
    .http("DELETE /me/senders", "Mail of the sender to the mailbox is scored again.", OWN)
    .cli("spam allow remove ACCOUNT SENDER", "Score the sender's mail again.", {
      words: ["account", "sender"],
      done: (it) => `Mail to ${it.account} from ${it.sender} is scored like any other again.`,
      next: "spam allow list",
    }),
  verb("spam_allow_list", READ, page(), reads(senders))
    .http("GET /spam/senders", "Allowed senders of accounts, a page at a time: mail proven to be theirs is not spam.")
    .cli("spam allow list", "Show the allowed senders of each account.", {
      table: {
        things: "senders",
        member: "senders",
        head: ["ACCOUNT", "SENDER", "SINCE", "BY"],
        row: (one) => [one.account, one.sender, dayAndTime(one.at), one.by],
        none: "No account allows a sender.",
        first: "spam allow add ACCOUNT SENDER",
      },
    }),
] as const;
