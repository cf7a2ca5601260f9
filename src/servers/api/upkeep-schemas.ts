import * as z from "zod";
import { SEVERITIES } from "../../core/alerts/alerts.ts";
import type { AlertItem } from "../../wire/control/items.ts";
import { type CertificateReport, type DnsReport, UPKEEP, type UpkeepItem } from "../../wire/control/upkeep.ts";
import { exactly } from "./exactly.ts";

/** What the routes of upkeep-routes.ts answer, for the router and for `/openapi.json`. */

const time = z.iso.datetime({ precision: 3 }).describe("ISO 8601 in UTC.");
const count = z.number().int();

const alert = exactly<AlertItem>()(
  z.object({
    code: z.string(),
    subject: z.string().describe("The component or account; empty if there is only one."),
    severity: z.enum(SEVERITIES),
    says: z.string(),
    detail: z.string(),
    next: z.string().describe("What to do."),
    openedAt: time,
    resolvedAt: time.nullable().describe("Null while it is open."),
  }),
);
export const alertPage = z.object({
  channels: z.array(
    z.object({
      name: z.string(),
      failing: z.string().nullable().describe("Why it has failed several times in a row; null if it works."),
    }),
  ),
  leadOut: z.boolean().describe("Whether any channel leads out of this server."),
  items: z.array(alert),
  next: z.string().nullable().describe("The cursor of the next page; null on the last."),
  total: count,
});
const STATES = ["ok", "degraded", "down", "unknown"] as const;
export const upkeep = z.object({
  items: z.array(
    exactly<UpkeepItem>()(
      z.object({
        name: z.enum(UPKEEP),
        state: z.enum(STATES),
        at: z.string().nullable().describe("When it was done last (ISO 8601); null: not yet, or not known."),
        says: z.string().describe("What came of it."),
        command: z.string().describe("The command on the server that tells or does more."),
      }),
    ),
  ),
});
export const certificate = exactly<CertificateReport>()(
  z.object({
    names: z.array(z.string()),
    issuer: z.string(),
    isSelfSigned: z.boolean(),
    notBefore: z.string().describe("ISO 8601 in UTC, as is `notAfter`."),
    notAfter: z.string(),
    fingerprint: z.string().describe("SHA-256, as browsers show it."),
    trouble: z.string().nullable().describe("Why newer files are not in use, or that it ends soon; null: neither."),
    ports: z.array(
      z.object({
        port: count,
        isServed: z.boolean().nullable().describe("Whether the port gives this certificate; null: it gave none."),
      }),
    ),
  }),
);
export const dnsQuery = z.strictObject({
  domain: z.string().max(253).optional().describe("A mail domain of the server; the first one without it."),
});
export const dns = exactly<DnsReport>()(
  z.object({
    domain: z.string(),
    domains: z.array(z.string()).describe("All that can be asked for."),
    checkedAt: time.describe("The resolver is asked at most once a minute."),
    records: z.array(
      z.object({
        name: z.string(),
        type: z.enum(["MX", "A", "AAAA", "TXT", "SRV", "PTR"]),
        value: z.string().describe("As it should be, as in a zone file; a TXT record in one piece. Empty: whichever."),
        says: z.string().describe("What it is for."),
        required: z.boolean().describe("Mail does not work well without it."),
        status: z.enum(["ok", "missing", "wrong", "unknown"]),
        detail: z.string().describe("What is published."),
      }),
    ),
  }),
);
export const channelTests = z.object({
  results: z.array(
    z.object({ channel: z.string(), ok: z.boolean(), detail: z.string().describe("Why it failed; empty if not.") }),
  ),
});
