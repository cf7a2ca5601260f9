import * as z from "zod";
import { ROLES, SCOPES } from "../../../core/access/scopes.ts";
import { parseDuration } from "../../../core/time.ts";
import { time } from "./schemas.ts";

/** What the routes of access-routes.ts take and answer, for the router and for `/openapi.json`. */

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

export const passkeyChallenged = z.object({ challenge: z.string() });

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
