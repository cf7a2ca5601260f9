import * as z from "zod/mini";
import { plural } from "../../core/text.ts";
import { answers, changes } from "../control/effects.ts";
import { ADMIN, PROVEN_ADMIN } from "../control/verb-rights.ts";
import { accountName, count, list, listOf, meaning, restrictingNetwork } from "./kinds.ts";
import { verb } from "./verb.ts";

/** What the administrator changes about an account; what its user may change too is in mailboxes.ts. */

const ofAccount = { name: accountName };
const named = answers(() => z.object({ name: z.string() }));
const withHeld = answers(() =>
  z.object({ name: z.string(), held: meaning(count, "Mails of the account that wait on hold in the queue.") }),
);
const bytes = z
  .int("is not a whole number")
  .check(z.minimum(0, "is less than 0"), z.maximum(Number.MAX_SAFE_INTEGER, "is too large"));
const quota = meaning(z.nullable(bytes), "0: no limit. Null: as `mailboxes.quota` says.");
const quotaSet = answers(() => z.object({ name: z.string(), quotaBytes: z.nullable(count) }));
const networks = listOf(restrictingNetwork, 100);
const networksOf = answers(() => z.object({ name: z.string(), networks: list(z.array(z.string())) }));

export const OF_ACCOUNTS = [
  /** Without a proof: it only takes rights away, and may be urgent. */
  verb("account_suspend", ADMIN, ofAccount, changes(withHeld, "shutOut"))
    .http(
      "POST /accounts/{name}/suspend",
      "Suspends an account: nobody can sign in, mail still arrives, and what it sent and still is here is held.",
    )
    .cli(
      "account suspend ADDRESS",
      "Stop sign-ins to an account, and hold its mail in the queue; mail to it still arrives.",
      {
        words: ["name"],
        done: ({ name, held }) => {
          const queued = ` Of its own mail, ${plural(held, "mail")} in the queue ${held === 1 ? "is" : "are"} held.`;
          const suspended = `${name} cannot sign in any more; its open sessions were ended. Mail for it still arrives.`;
          return held === 0 ? suspended : suspended + queued;
        },
        next: ({ name, held }) => `account ${held === 0 ? "resume" : "held"} ${name}`,
      },
    ),
  verb("account_resume", PROVEN_ADMIN, ofAccount, changes(withHeld, "accounts"))
    .http("POST /accounts/{name}/resume", "Lets a suspended account sign in again.")
    .cli("account resume ADDRESS", "Let a suspended account sign in again.", {
      words: ["name"],
      done: ({ name, held }) => {
        const still = ` ${plural(held, "mail")} of it ${held === 1 ? "is" : "are"} still held.`;
        return `${name} can sign in again.${held === 0 ? "" : still}`;
      },
      next: ({ name, held }) => (held === 0 ? "account list" : `account release ${name}, or account drop ${name}`),
    }),
  verb("account_remove", PROVEN_ADMIN, ofAccount, changes(named, "shutOut")).http(
    "DELETE /accounts/{name}",
    "Removes an account, and takes it out of aliases; its mail stays on the disk.",
  ),
  verb("quota_set", ADMIN, { ...ofAccount, quotaBytes: quota }, changes(quotaSet, "shutOut")).http(
    "PUT /accounts/{name}/quota",
    "Gives an account its own quota, or that of the settings again.",
  ),
  verb("networks_add", PROVEN_ADMIN, { ...ofAccount, networks }, changes(networksOf, "shutOut")).http(
    "POST /accounts/{name}/networks",
    "Adds networks from which the account may sign in, and ends its open sessions.",
  ),
  verb("networks_remove", PROVEN_ADMIN, { ...ofAccount, networks }, changes(networksOf, "shutOut")),
] as const;
