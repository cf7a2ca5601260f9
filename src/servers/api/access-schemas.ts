import * as z from "zod";
import { ROLES, SCOPES } from "../../core/access/scopes.ts";
import { parseDuration } from "../../core/time.ts";
import { passkeys } from "./passkey-schemas.ts";
import { time } from "./schemas.ts";

/** What the routes of access-routes.ts take and answer, for the router and for `/openapi.json`. */

const count = z.number().int();
const scopes = z.array(z.enum(SCOPES, `is none of ${SCOPES.join(", ")}`));
const ROLE_NAMES = Object.keys(ROLES);
const granted = z.enum([...SCOPES, ...ROLE_NAMES], `is none of ${[...SCOPES, ...ROLE_NAMES].join(", ")}`);
const tokenName = z
  .string("is missing, or not text")
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, "is not 1 to 64 letters, digits, dots or dashes");

export const session = z.object({
  name: z.string(),
  role: z.enum([...Object.keys(ROLES), "mailbox"]),
  account: z.string().nullable().describe("The mailbox whose user this is; null: it administers, as its scopes say."),
  scopes,
  freshUntil: time.nullable().describe("Until when the password that was given counts as a fresh proof."),
});

export const factors = z.object({
  totp: z.boolean().describe("Whether an authenticator app is set up."),
  recoveryLeft: count.describe("Recovery codes that were not used yet."),
  passkeys,
});
export const totpBegun = z.object({
  secret: z.string().describe("In base32, to be typed into the app."),
  uri: z.string().describe("The same as an address that apps read from a QR code."),
});
export const codeGiven = z.strictObject({
  code: z.string("is missing, or not text").min(1, "is empty").max(64, "has more than 64 characters"),
});
export const recoveryCodes = z.object({
  recoveryCodes: z.array(z.string()).describe("Each signs in once in place of the app's code. They are told only now."),
});
export const factorChanged = z.object({ done: z.literal(true) });

export const tokenRequest = z.strictObject({
  name: tokenName,
  scopes: z.array(granted).min(1, "is empty").describe("Scopes, and roles that stand for theirs."),
  expires: z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) > 0, "is not a time such as 12h or 90d")
    .optional()
    .describe("After which time it expires, such as 90d; without it, it does not."),
});
export const tokenMade = z.object({ name: z.string(), token: z.string().describe("Empty in a dry run.") });
