import * as z from "zod/mini";
import { count, list, meaning, time } from "../verbs/kinds.ts";

/** The server's upkeep by root's records, and what the DNS publishes for it: for the guard, and through it for the web. */

export const UPKEEP = ["backup", "drill", "checks", "updates", "report", "audit", "spam_rules"] as const;

export const upkeepItem = () =>
  z.object({
    name: z.enum(UPKEEP),
    state: z.enum(["ok", "degraded", "down", "unknown"]),
    at: meaning(z.nullable(z.string()), "When it was done last (ISO 8601); null: not yet, or not known."),
    says: meaning(z.string(), "What came of it."),
    command: meaning(z.string(), "The command on the server that shows or does more."),
  });
export type UpkeepItem = Readonly<z.output<ReturnType<typeof upkeepItem>>>;

export const certificateReport = () =>
  z.object({
    names: list(z.array(z.string())),
    issuer: z.string(),
    isSelfSigned: z.boolean(),
    notBefore: meaning(z.string(), "ISO 8601 in UTC, as is `notAfter`."),
    notAfter: z.string(),
    fingerprint: meaning(z.string(), "SHA-256, as browsers show it."),
    trouble: meaning(z.nullable(z.string()), "Why newer files are not in use, or that it ends soon; null: neither."),
    ports: list(
      z.array(
        z.object({
          port: count,
          isServed: meaning(z.nullable(z.boolean()), "Whether the port gives this certificate; null: it gave none."),
        }),
      ),
    ),
  });
export type CertificateReport = Readonly<z.output<ReturnType<typeof certificateReport>>>;

/** The result of the keeper's last check of the audit (docs/audit.md). */
export const auditReport = () =>
  z.object({
    checkedAt: meaning(
      z.string(),
      "ISO 8601 in UTC. Root checks each hour, and each minute while something does not fit.",
    ),
    first: meaning(count, "The entries are those from `first` to `last`; both are 0 without any."),
    last: count,
    anchored: meaning(
      z.nullable(z.object({ id: count, at: z.string() })),
      "The newest entry that an anchor of root confirms, and the time of that; null: none.",
    ),
    unreadableAnchors: meaning(count, "Lines of the anchors that cannot be read."),
    fault: meaning(
      z.nullable(z.object({ id: count, says: z.string() })),
      "The first entry that does not fit, and why; null: everything fits.",
    ),
  });
export type AuditReport = Readonly<z.output<ReturnType<typeof auditReport>>>;

const record = () =>
  z.object({
    name: z.string(),
    type: z.enum(["MX", "A", "AAAA", "TXT", "SRV", "PTR"]),
    value: meaning(z.string(), "As it should be, as in a zone file; a TXT record in one piece. Empty: whichever."),
    says: meaning(z.string(), "What it is for."),
    required: meaning(z.boolean(), "Mail does not work well without it."),
    status: z.enum(["ok", "missing", "wrong", "unknown"]),
    detail: meaning(z.string(), "What is published."),
  });
/** A DNS record of a domain: the wanted one and the published one. */
export type PublishedRecord = Readonly<z.output<ReturnType<typeof record>>>;

export const dnsReport = () =>
  z.object({
    domain: z.string(),
    domains: meaning(list(z.array(z.string())), "All that can be asked for."),
    checkedAt: meaning(time, "The resolver is asked at most once a minute."),
    records: list(z.array(record())),
  });
export type DnsReport = Readonly<z.output<ReturnType<typeof dnsReport>>>;
