import * as z from "zod";
import { newTokenName } from "../../../admin/access.ts";
import { time } from "../../../admin/declare/items.ts";
import { accountName, count, list, meaning } from "../../../admin/declare/kinds.ts";
import { MAX_PASSWORD_BYTES } from "../../../core/access/passwords.ts";
import { ROLES, SCOPES } from "../../../core/access/scopes.ts";
import { parseDuration } from "../../../core/time.ts";
import { textUpTo } from "./schemas.ts";

/** What the routes of account-routes.ts and access-routes.ts take and answer, for the router and for `/openapi.json`. */

/** Limit for a file imported through the web. */
export const MOST_IMPORTED = 100;
const password = textUpTo(MAX_PASSWORD_BYTES, "is not text")
  .min(1, "is empty")
  .optional()
  .describe("Without it the server generates one and returns it once.");
export const accountInPath = z.object({ name: accountName });

export const newAccount = z.strictObject({ name: accountName, password });
export const newPassword = z.strictObject({ password });
export const secretMade = z.object({
  name: z.string(),
  password: z.string().nullable().describe("The generated password, shown only now; null: it was given."),
});

export const accountsFile = z.strictObject({
  file: z.string("is missing, or not text").describe("Lines such as `anna@example.org|{SHA512-CRYPT}$6$…`."),
});
const reasons = z.array(z.object({ name: z.string(), why: z.string() }));
export const imported = z.object({
  added: z.array(z.string()),
  skipped: reasons.describe("Those that were not imported."),
  ignored: z
    .array(z.object({ line: count, name: z.string(), fields: list(z.string()) }))
    .describe("Further fields of the lines, which are not used."),
  weak: reasons.describe("Imported with a clear-text password that is easy to guess."),
  unjudged: z.array(z.string()).describe("Imported with a clear-text password that was not checked for lack of time."),
});

const scopes = z.array(z.enum(SCOPES, `is none of ${SCOPES.join(", ")}`));
const ROLE_NAMES = Object.keys(ROLES);
const granted = z.enum([...SCOPES, ...ROLE_NAMES], `is none of ${[...SCOPES, ...ROLE_NAMES].join(", ")}`);
export const session = z.object({
  name: z.string(),
  role: z.enum([...Object.keys(ROLES), "mailbox"]),
  account: z
    .string()
    .nullable()
    .describe("The mailbox whose user this is; null for an administrator's session or token."),
  scopes,
  freshUntil: meaning(z.nullable(time), "Until when the password that was given counts as a fresh proof."),
});

export const passkeyChallenged = z.object({ challenge: z.string() });

export const tokenRequest = z.strictObject({
  name: newTokenName,
  scopes: z.array(granted).min(1, "is empty").describe("Scopes, and roles that stand for theirs."),
  expires: z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) > 0, "is not a time such as 12h or 90d")
    .optional()
    .describe("How long it is valid, such as 90d; without this it does not expire."),
});
export const tokenMade = z.object({ name: z.string(), token: z.string().describe("Empty in a dry run.") });
