import * as z from "zod/mini";
import { done, ended, sessionFacts } from "./access.ts";
import { type OutputOf, object, text } from "./declare/fields.ts";
import { count, list, meaning, records, time } from "./declare/kinds.ts";
import { changes, MAILBOX, PROVEN_MAILBOX, reads, verb } from "./declare/verb.ts";

/**
 * Queries and changes by verbs that only the user of a mailbox may use; the account is always that of the session. Verbs that the owner
 * may use too, such as `vacation_set`, are in mailboxes.ts and filters.ts.
 */

const mailbox = object(() => ({
  account: z.string(),
  quotaBytes: meaning(count, "0: no limit."),
  usedBytes: meaning(z.nullable(count), "Null: it is not known now."),
  mails: meaning(z.nullable(count), "Null: it is not known now."),
  aliases: meaning(list(z.string()), "Other addresses whose mail it receives, 100 at most."),
  networks: meaning(list(z.string()), "From where it may sign in; empty: anywhere that `logins.networks` allows."),
  guarded: meaning(z.boolean(), "Strangers are guessing its password, so sign-ins from new places are limited."),
  greylistPausedUntil: z.nullable(time),
  passwordOnServer: meaning(z.boolean(), "The password is changed only on the server, which makes a key for mail."),
}));
export type MyMailbox = OutputOf<typeof mailbox>;
/** The addresses whose mail reaches the account: its own, and aliases that lead to it, directly or by others. */
const addresses = object(() => ({ account: z.string(), addresses: list(z.string()), createdAt: time }));
/** Where a mail program finds the mailbox. Both ports use TLS from the start. */
const client = object(() => ({ account: z.string(), host: z.string(), imapPort: count, smtpPort: count }));
export type MyClient = OutputOf<typeof client>;
const sessions = object(() => ({ items: records(sessionFacts()) }));
const senders = object(() => ({ items: records({ sender: z.string(), at: time }) }));

const TO_CHANGE = { ...PROVEN_MAILBOX, costs: true } as const;
const NO_DRY_RUN = "It affects only the mailbox of this session.";

export const MY_VERBS = [
  verb("my_mailbox", MAILBOX, {}, reads(mailbox)).http(
    "GET /me",
    "The mailbox of the user who asks: how full it is, its other addresses, and from where it signs in.",
  ),
  verb("my_addresses", MAILBOX, {}, reads(addresses)),
  verb("my_client", MAILBOX, {}, reads(client)),
  verb("my_sessions", MAILBOX, {}, reads(sessions)).http(
    "GET /me/sessions",
    "Where the user is signed in to the dashboard, most recently used first.",
  ),
  verb("my_sessions_end", MAILBOX, {}, changes(ended, "itself", NO_DRY_RUN)).http(
    "DELETE /me/sessions",
    "Ends all sessions of the user but the caller's own.",
  ),
  /** Every other session of the account ends. */
  verb("my_password", TO_CHANGE, { password: text(1_024) }, changes(done, "itself", NO_DRY_RUN)),
  verb("my_senders", MAILBOX, {}, reads(senders)).http(
    "GET /me/senders",
    "Allowed senders of the mailbox: mail proven to be theirs is not spam.",
  ),
] as const;
