import * as z from "zod";
import type { AuditEntry } from "../../core/audit/chain.ts";
import { MOST_AUDITED } from "../../wire/control/control.ts";
import type { AuditReport } from "../../wire/control/upkeep.ts";
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

const report = exactly<AuditReport>()(
  z.object({
    checkedAt: z
      .string()
      .describe("ISO 8601 in UTC. Root checks each hour, and each minute while something does not fit."),
    first: z.number().int().describe("The entries are those from `first` to `last`; both are 0 without any."),
    last: z.number().int(),
    anchored: z
      .object({ id: z.number().int(), at: z.string() })
      .nullable()
      .describe("The newest entry that an anchor of root confirms, and the time of that; null: none."),
    unreadableAnchors: z.number().int().describe("Lines of the anchors that cannot be read."),
    fault: z
      .object({ id: z.number().int(), says: z.string() })
      .nullable()
      .describe("The first entry that does not fit, and why; null: everything fits."),
  }),
);
export const auditVerified = z.object({
  audit: report.nullable().describe("Null: it was not checked yet since the server began."),
});
