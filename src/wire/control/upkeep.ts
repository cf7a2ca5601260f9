import * as z from "zod/mini";
import type { DnsRecord } from "../dns/records.ts";
import type { RecordVerdict } from "../dns/verdict.ts";

/** What root's records tell of the server's upkeep, and what is published for it: for the guard, and by it for the web. */

export const UPKEEP = ["backup", "drill", "checks", "updates", "report", "audit", "spam_rules"] as const;
const STATES = ["ok", "degraded", "down", "unknown"] as const;

export const upkeepItem = () =>
  z.object({
    name: z.enum(UPKEEP),
    state: z.enum(STATES),
    /** When it was done last (ISO 8601); null: not yet, or not known. */
    at: z.nullable(z.string()),
    /** What came of it. */
    says: z.string(),
    /** The command that tells or does more. */
    command: z.string(),
  });
export type UpkeepItem = Readonly<z.output<ReturnType<typeof upkeepItem>>>;

export const certificateReport = () =>
  z.object({
    /** Those for which it is valid. */
    names: z.readonly(z.array(z.string())),
    issuer: z.string(),
    isSelfSigned: z.boolean(),
    notBefore: z.string(),
    notAfter: z.string(),
    /** The certificate's SHA-256, as browsers show it. */
    fingerprint: z.string(),
    /** Why newer files of the settings are not in use, or that it ends soon; null: neither. */
    trouble: z.nullable(z.string()),
    /** The ports that begin with TLS. `isServed` null: it gave no certificate. */
    ports: z.readonly(z.array(z.object({ port: z.number(), isServed: z.nullable(z.boolean()) }))),
  });
/** What the keeper's last check of the audit found (docs/audit.md). */
export const auditReport = () =>
  z.object({
    checkedAt: z.string(),
    /** Entries from `first` to `last`; both 0 without one. */
    first: z.number(),
    last: z.number(),
    /** The newest entry that one of root's anchors confirms, and when that was noted. */
    anchored: z.nullable(z.object({ id: z.number(), at: z.string() })),
    /** Lines of the anchors that are none. */
    unreadableAnchors: z.number(),
    /** The first entry that does not fit; null: everything fits. */
    fault: z.nullable(z.object({ id: z.number(), says: z.string() })),
  });
export type AuditReport = Readonly<z.output<ReturnType<typeof auditReport>>>;
/** A record of a domain as it should be, and what is published. `value` empty: whichever. */
export type PublishedRecord = Readonly<{
  name: string;
  type: DnsRecord["type"];
  value: string;
  says: string;
  required: boolean;
  status: RecordVerdict["status"];
  detail: string;
}>;
/** `domains`: all that can be asked for. */
export type DnsReport = Readonly<{
  domain: string;
  domains: readonly string[];
  checkedAt: string;
  records: readonly PublishedRecord[];
}>;
export type CertificateReport = Readonly<z.output<ReturnType<typeof certificateReport>>>;
