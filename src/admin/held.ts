import * as z from "zod/mini";
import { plural } from "../core/text.ts";
import { flag, type OutputOf, object } from "./declare/fields.ts";
import { accountName, count, list, listOf, meaning, orNull, queueId, time } from "./declare/kinds.ts";
import { changes, PROVEN_QUEUE, READ, reads, verb } from "./declare/verb.ts";

/** Mail of accounts that may be hijacked, which the guard keeps on hold in the queue. */

const ofAccount = { name: meaning(accountName, "The account whose mail is held.") };
const until = meaning(z.optional(time), "Leaves mail that was held later: give the newest `at` of the list.");
const suspended = meaning(z.optional(flag), "As in the list. If false, a suspension since then stops the command.");
const toDrop = {
  ...ofAccount,
  isReturned: meaning(z.optional(flag), "Return the mail to its senders as undeliverable."),
  ids: meaning(z.optional(listOf(queueId, 100)), "Only these mails."),
  until,
};
const NAMED = { named: { name: "account" } };

export const heldAccount = object(() => ({
  account: z.string(),
  at: time,
  ip: z.string(),
  count: meaning(count, "Strangers that it wrote to, or that refused its mail, depending on `key`."),
  limit: count,
  windowMs: count,
  key: meaning(z.string(), "The setting of the limit."),
}));
/** An account whose mail is held: since when, from which address its mail came, and the limit that it exceeded. */
export type HeldAccountItem = OutputOf<typeof heldAccount>;
const heldMail = object(() => ({
  queueId: z.string(),
  account: z.string(),
  at: time,
  ip: z.nullable(z.string()),
  recipientCount: count,
  recipients: meaning(list(z.string()), "Some of them."),
}));
export type HeldMailItem = OutputOf<typeof heldMail>;
const sentMail = object(() => ({
  queueId: z.nullable(z.string()),
  at: time,
  ip: z.string(),
  recipientCount: count,
  recipient: meaning(z.nullable(z.string()), "Null: there are several."),
}));
/** A mail of an account that was not held; it may still be waiting for delivery. */
export type SentMailItem = OutputOf<typeof sentMail>;

const listed = object(() => ({
  accounts: meaning(list(heldAccount()), "Accounts whose mail is held: the newest 100."),
  held: meaning(list(heldMail()), "Their mails on hold: the newest 100."),
  heldTotal: count,
  sent: meaning(list(sentMail()), "What else `account` sent within 24 hours: the newest 100. Empty without `account`."),
  sentTotal: count,
  suspended: meaning(z.boolean(), "Whether `account` is suspended or removed. False without `account`."),
}));
export type HeldList = OutputOf<typeof listed>;
const isMore = meaning(z.boolean(), "There is more: repeat the request.");
const released = object(() => ({ name: z.string(), released: count, isMore }));
export const isHeld = meaning(z.boolean(), "Further mail of the account is held.");
const dropped = object(() => ({ name: z.string(), dropped: count, isMore, isHeld }));

export const HELD_VERBS = [
  verb("held_list", READ, { name: orNull(accountName, "Only this account.") }, reads(listed)).http(
    "GET /held",
    "Accounts whose mail the guard holds, and that mail; for one account, also what it sent.",
    NAMED,
  ),
  verb("held_release", PROVEN_QUEUE, { ...ofAccount, until, suspended }, changes(released, "released"))
    .http("POST /held/{account}/release", "Sends the account's held mail, and stops holding new mail.", NAMED)
    .cli(
      "account release ADDRESS",
      "Send the held mail of an account and vouch for it: its further mail is not held.",
      {
        words: ["name"],
        done: (it) => {
          const sent = `${plural(it.released, "mail")} of ${it.name} released.`;
          return it.isMore
            ? `${sent} More is on hold: give the command again.`
            : `${sent} Mail of ${it.name} is no longer held.`;
        },
        next: (it) => `account ${it.isMore ? "release" : "held"} ${it.name}`,
      },
    ),
  /** If none of `ids` is held, it succeeds and drops nothing. */
  verb("held_drop", PROVEN_QUEUE, toDrop, changes(dropped, "deleted")).http(
    "POST /held/{account}/drop",
    "Deletes the account's held mail, or returns it to its senders.",
    { named: { name: "account", isReturned: "bounce" } },
  ),
] as const;
