import * as z from "zod";
import type { AuditEntry } from "../../core/audit/chain.ts";
import { MOST_AUDITED } from "../../wire/control/control.ts";
import { exactly } from "./exactly.ts";
import { numberCursor } from "./schemas.ts";

/** What the routes of audit-routes.ts take and answer. */

export const auditQuery = z.object({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, "is not a whole number")
    .transform(Number)
    .refine((value) => value > 0 && value <= MOST_AUDITED, `is not between 1 and ${MOST_AUDITED}`)
    .optional()
    .describe(`How many at most: 1 to ${MOST_AUDITED}; 50 if absent.`),
  cursor: numberCursor,
});

const entry = exactly<AuditEntry>()(
  z.object({
    id: z.number().int(),
    at: z.string().describe("ISO 8601 in UTC."),
    actor: z.string().describe("Who did it, such as `root` or `web:admin via 198.51.100.9`."),
    type: z.string(),
    subject: z.string(),
    detail: z.string().describe("JSON, as it was hashed."),
    previous: z.string().describe("The hash of the entry before."),
    hash: z.string().describe("SHA-256 in hexadecimal."),
  }),
);
export const auditPage = z.object({
  items: z.array(entry),
  next: z.string().nullable().describe("The cursor of the next page; null on the last."),
});
