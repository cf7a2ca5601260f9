import * as z from "zod";
import { parseAccountName } from "../../core/net/address.ts";
import { parsePrefix, prefixLength } from "../../core/net/ip.ts";
import { MAX_PASSWORD_BYTES } from "../../core/passwords/rule.ts";
import type { AccountAccess, AccountListItem, DetailedAccount } from "../../wire/control/results.ts";
import { alias } from "../../wire/verbs/aliases.ts";
import { exactly } from "./exactly.ts";
import { accountState, allowQuery } from "./schemas.ts";

/** What the routes of account-routes.ts take and answer. */

/** Of a file that is imported through the web. */
export const MOST_IMPORTED = 100;
const MOST_LISTED = 100;
const count = z.number().int();
const NO_ADDRESS = "is no mail address such as anna@example.org";

const accountName = z
  .string(NO_ADDRESS)
  .refine((text) => parseAccountName(text) !== null, "cannot be an account such as anna@example.org")
  .describe("The account, such as anna@example.org.");
const password = z
  .string("is not text")
  .min(1, "is empty")
  .max(MAX_PASSWORD_BYTES, `has more than ${MAX_PASSWORD_BYTES} characters`)
  .optional()
  .describe("Without it the server makes one, and tells it once.");
const network = z
  .string("is not text")
  .max(64, "is no network")
  .refine((text) => {
    const prefix = parsePrefix(text);
    return prefix !== null && prefixLength(prefix) > 0;
  }, "is no network that restricts anything, such as 203.0.113.0/24")
  .describe("An IP address, or a network such as 203.0.113.0/24.");
const next = z.string().nullable().describe("The cursor of the next page; null on the last.");
const passwordsOnServer = z
  .boolean()
  .describe("Each account has a key for its mail, so accounts and passwords are made on the server alone.");

export const listQuery = z.object({
  ...allowQuery.shape,
  text: z
    .string()
    .max(200, "has more than 200 characters")
    .optional()
    .describe("Only those with this in their name, for aliases also in a target."),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, "is not a whole number")
    .transform(Number)
    .refine((value) => value > 0 && value <= MOST_LISTED, `is not between 1 and ${MOST_LISTED}`)
    .optional()
    .describe(`How many at most: 1 to ${MOST_LISTED}; 50 if absent.`),
});

const lastSignIn = z
  .object({ at: accountState.shape.createdAt, from: z.string() })
  .nullable()
  .describe("As far as the memory reaches; from an address, or a network of IPv6.");
const { name, suspended, origin, networks, quotaBytes, createdAt } = accountState.shape;

const accountListItem = exactly<AccountListItem>()(
  z.object({
    name,
    suspended,
    origin,
    networks,
    quotaBytes,
    createdAt,
    lastSignIn,
    guarded: z.boolean().describe("Strangers guess at its password, so new places are limited."),
    held: z.boolean().describe("Its mail is held."),
    aliases: count.describe("How many aliases lead to it."),
  }),
);

export const accountPage = z.object({ items: z.array(accountListItem), next, total: count, passwordsOnServer });
export const accountDetails = exactly<DetailedAccount>()(
  z.object({
    ...accountState.shape,
    lastSignIn,
    aliases: z.array(alias()).describe("The first of those that lead to it."),
    aliasesTotal: count,
    use: z.object({ usedBytes: count, mails: count }).nullable().describe("Null: it is not known now."),
    usualQuotaBytes: count.describe("The setting `mailboxes.quota`; 0: no limit."),
    passwordsOnServer,
  }),
);

export const accessPage = z.object({
  items: z.array(
    exactly<AccountAccess>()(
      z.object({
        name,
        suspended,
        networks,
        createdAt,
        addresses: z.array(z.string()).describe("Under which mail comes to it: its own, and aliases; the first 100."),
        appPasswords: z.array(z.string()).describe("The names of its app passwords."),
        lastSignIn,
        forwards: z
          .array(z.object({ to: z.array(z.string()), by: z.string() }))
          .describe("Where its mail is sent on, and by what: `account forward`, or the file of a Sieve script."),
      }),
    ),
  ),
  next,
  total: count,
});
export const accountInPath = z.object({ name: accountName });
export const networkOfAccount = z.object({ name: accountName, network });

export const newAccount = z.strictObject({ name: accountName, password });
export const newPassword = z.strictObject({ password });
export const secretMade = z.object({
  name: z.string(),
  password: z.string().nullable().describe("The one that the server made, told only now; null: it was given."),
});
export const networksOf = z.object({ name: z.string(), networks: z.array(z.string()) });

export const accountsFile = z.strictObject({
  file: z.string("is missing, or not text").describe("Lines such as `anna@example.org|{SHA512-CRYPT}$6$…`."),
});
const told = z.array(z.object({ name: z.string(), why: z.string() }));
export const imported = z.object({
  added: z.array(z.string()),
  skipped: told.describe("Those that were not imported."),
  ignored: z
    .array(z.object({ line: count, name: z.string(), fields: z.array(z.string()) }))
    .describe("What lines say besides, which is not used."),
  weak: told.describe("Imported with a password in clear text that is easy to guess."),
  unjudged: z.array(z.string()).describe("Imported with a password in clear text that there was no time to judge."),
});
