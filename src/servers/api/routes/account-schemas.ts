import * as z from "zod";
import { parseAccountName } from "../../../core/net/address.ts";
import { parsePrefix, prefixLength } from "../../../core/net/ip.ts";
import { MAX_PASSWORD_BYTES } from "../../../core/passwords/rule.ts";

/** What the routes of account-routes.ts take and answer. */

/** Limit for a file imported through the web. */
export const MOST_IMPORTED = 100;
const count = z.number().int();
const NO_ADDRESS = "is not a mail address such as anna@example.org";

const accountName = z
  .string(NO_ADDRESS)
  .refine((text) => parseAccountName(text) !== null, "cannot be an account such as anna@example.org")
  .describe("The account, such as anna@example.org.");
const password = z
  .string("is not text")
  .min(1, "is empty")
  .max(MAX_PASSWORD_BYTES, `has more than ${MAX_PASSWORD_BYTES} characters`)
  .optional()
  .describe("Without it the server generates one and returns it once.");
const network = z
  .string("is not text")
  .max(64, "is not a network")
  .refine((text) => {
    const prefix = parsePrefix(text);
    return prefix !== null && prefixLength(prefix) > 0;
  }, "is not a network that restricts anything, such as 203.0.113.0/24")
  .describe("An IP address, or a network such as 203.0.113.0/24.");
export const accountInPath = z.object({ name: accountName });
export const networkOfAccount = z.object({ name: accountName, network });

export const newAccount = z.strictObject({ name: accountName, password });
export const newPassword = z.strictObject({ password });
export const secretMade = z.object({
  name: z.string(),
  password: z.string().nullable().describe("The generated password, shown only now; null: it was given."),
});
export const networksOf = z.object({ name: z.string(), networks: z.array(z.string()) });

export const accountsFile = z.strictObject({
  file: z.string("is missing, or not text").describe("Lines such as `anna@example.org|{SHA512-CRYPT}$6$…`."),
});
const reasons = z.array(z.object({ name: z.string(), why: z.string() }));
export const imported = z.object({
  added: z.array(z.string()),
  skipped: reasons.describe("Those that were not imported."),
  ignored: z
    .array(z.object({ line: count, name: z.string(), fields: z.array(z.string()) }))
    .describe("Further fields of the lines, which are not used."),
  weak: reasons.describe("Imported with a clear-text password that is easy to guess."),
  unjudged: z.array(z.string()).describe("Imported with a clear-text password that was not checked for lack of time."),
});
