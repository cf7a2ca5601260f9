import * as z from "zod/mini";
import { SHUT, STEPS } from "../../core/incident/incident.ts";
import { type OutputOf, object } from "./fields.ts";
import { count, list, meaning, records, time } from "./kinds.ts";

/** Facts that only root can read: the keeper reports them to the guard, and the guard to administrators. */

/** The keeper's verbs for these reports, none of which takes an argument. */
export const REPORT_VERBS = [
  "upkeep",
  "certificate",
  "dkim_keys",
  "incidents",
  "firewall",
  "retention",
  "encryption",
  "fail2ban",
  "checks",
] as const;
export type ReportVerb = (typeof REPORT_VERBS)[number];

/** Maximum accounts whose Sieve scripts the keeper reads in one command. */
export const MOST_REVIEWED = 100;

const at = meaning(z.string(), "ISO 8601 in UTC.");
const names = list(z.string());

export const incidentsReport = object(() => ({
  incidents: meaning(
    records({
      id: z.string(),
      title: z.string(),
      openedAt: at,
      since: meaning(at, "When it may have started."),
      closedAt: meaning(z.nullable(at), "Null while it is open."),
      steps: meaning(count, "How many steps its timeline has."),
    }),
    "The newest first, at most 100.",
  ),
  timeline: meaning(
    records({
      at,
      by: z.string(),
      step: z.enum(STEPS),
      says: z.string(),
      audited: meaning(z.boolean(), "Whether the audit has it too; false if the guard was down."),
    }),
    "The last 500 steps of the open incident, oldest first; empty without one.",
  ),
  isolation: meaning(
    z.nullable(
      z.object({
        incident: z.string(),
        since: at,
        allow: meaning(names, "Who can still connect."),
        shut: meaning(list(z.enum(SHUT)), "What has not been lifted yet."),
      }),
    ),
    "Null: the server is not isolated.",
  ),
}));
export type IncidentsReport = OutputOf<typeof incidentsReport>;

export const firewallReport = object(() => ({
  state: meaning(
    z.enum(["off", "bans", "trial", "confirmed", "unconfirmed", "broken", "unknown"]),
    "`off`: there is no firewall; `bans`: it only drops banned addresses, by the settings (`/api/v1/status` says whether it works); `trial`: waits for a confirmation; `confirmed`: as it should be; `unconfirmed`: it should be strict, but was not confirmed; `broken`: someone changed it; `unknown`: it cannot be read.",
  ),
  open: meaning(z.nullable(names), "Such as `25/tcp`, or `22/tcp4` over IPv4 only. Null: every port is open."),
  trusted: meaning(names, "Interfaces from which everything gets in."),
  confirmWithinSeconds: meaning(z.nullable(count), "Seconds until the trial is undone; null without one."),
  faults: meaning(names, "Why it is `broken`."),
}));
export type FirewallReport = OutputOf<typeof firewallReport>;

export const retentionReport = object(() => ({
  nextRunAt: meaning(z.nullable(at), "Null while it is paused."),
  lastRun: meaning(
    z.nullable(z.object({ at, mails: count, bytes: count })),
    "What the last run removed; null if there was none yet.",
  ),
  failure: meaning(
    z.nullable(z.object({ at, reason: z.string() })),
    "Why a later run removed nothing or only a part; it is retried each hour.",
  ),
  paused: meaning(z.nullable(z.string()), "Why retention is paused after a clock jump; null if it is not."),
  legalHolds: meaning(
    records({ account: z.string(), since: at }),
    "Accounts whose mail must be kept, including removed ones.",
  ),
}));
export type RetentionReport = OutputOf<typeof retentionReport>;

/** How mail is encrypted on the disk; omits where the private key is. */
export const encryptionReport = object(() => ({
  encrypts: meaning(z.boolean(), "Whether new mail is encrypted."),
  byAccount: meaning(z.boolean(), "Each account has its own key, which its password opens."),
  readable: meaning(z.nullable(z.boolean()), "The server's private key is there; null: the server has no key."),
  fingerprint: meaning(z.nullable(z.string()), "SHA-256 of the server's public key."),
}));
export type EncryptionReport = OutputOf<typeof encryptionReport>;

export const fail2banReport = object(() => ({
  enabled: z.boolean(),
  sentences: meaning(z.enum(["unjudged", "all"]), "The setting `fail2ban.sentences`: which reports ban."),
  jails: meaning(
    records({
      name: z.string(),
      watched: meaning(count, "Addresses with too few offences for a report."),
      found: meaning(count, "Offences found."),
      reports: meaning(count, "Reports to the guard."),
    }),
    "Counts since Fail2ban was started, at most a minute old.",
  ),
  refused: meaning(
    records({ file: z.string(), reason: z.string() }),
    "The owner's filters that failed the test; `file` without its directory.",
  ),
}));

/** Results of a check, the worst last. `unknown`: it cannot be seen from here, so it does not count as passed. */
export const CHECK_STATES = ["ok", "unknown", "warning", "wrong"] as const;

export const checksReport = object(() => ({
  at: meaning(z.nullable(at), "When they last ran; null: never yet."),
  checks: meaning(
    records({
      id: meaning(z.string(), "As `./ghostinbox check` names it, such as `tls.certificate`."),
      state: z.enum(CHECK_STATES),
      passedAt: meaning(z.nullable(at), "When it was last `ok`; null: never yet."),
    }),
    "Their results. The evidence stays on the server.",
  ),
}));
/** The check whether mail can leave for other servers. */
export const OUTGOING_CHECK = "reputation.port-25-out";
export type ChecksReport = OutputOf<typeof checksReport>;

/** The server's upkeep by root's records, and what the DNS publishes for it. The guard passes both on to the web. */

export const upkeepItem = object(() => ({
  name: z.enum(["backup", "drill", "checks", "updates", "report", "audit", "spam_rules"]),
  state: z.enum(["ok", "degraded", "down", "unknown"]),
  at: meaning(z.nullable(z.string()), "When it was done last (ISO 8601); null: not yet, or not known."),
  says: meaning(z.string(), "The result."),
  command: meaning(z.string(), "The command on the server that shows or does more."),
}));
export type UpkeepItem = OutputOf<typeof upkeepItem>;

export const certificateReport = object(() => ({
  names: list(z.string()),
  issuer: z.string(),
  isSelfSigned: z.boolean(),
  notBefore: meaning(z.string(), "ISO 8601 in UTC, as is `notAfter`."),
  notAfter: z.string(),
  fingerprint: meaning(z.string(), "SHA-256, as browsers show it."),
  trouble: meaning(z.nullable(z.string()), "Why newer files are not in use, or that it expires soon; null if neither."),
  ports: records({
    port: count,
    isServed: meaning(z.nullable(z.boolean()), "Whether the port serves this certificate; null if it served none."),
  }),
}));
export type CertificateReport = OutputOf<typeof certificateReport>;

/** The result of the keeper's last check of the audit (docs/audit.md). */
export const auditReport = object(() => ({
  checkedAt: meaning(z.string(), "ISO 8601 in UTC. Root checks each hour, and each minute while it is inconsistent."),
  first: meaning(count, "The entries run from `first` to `last`; both are 0 if there are none."),
  last: count,
  anchored: meaning(
    z.nullable(z.object({ id: count, at: z.string() })),
    "The newest entry that an anchor of root confirms, and the time of the anchor; null if none.",
  ),
  unreadableAnchors: meaning(count, "Lines of the anchors that cannot be read."),
  fault: meaning(
    z.nullable(z.object({ id: count, says: z.string() })),
    "The first inconsistent entry, and why; null: there is none.",
  ),
}));
export type AuditReport = OutputOf<typeof auditReport>;

const record = object(() => ({
  name: z.string(),
  type: z.enum(["MX", "A", "AAAA", "TXT", "SRV", "PTR"]),
  value: meaning(z.string(), "The expected value as in a zone file; a TXT record in one piece. Empty: any value."),
  says: meaning(z.string(), "What it is for."),
  required: meaning(z.boolean(), "Mail does not work well without it."),
  status: z.enum(["ok", "missing", "wrong", "unknown"]),
  detail: meaning(z.string(), "What is published."),
}));
/** A DNS record of a domain: the expected one and the published one. */
export type PublishedRecord = OutputOf<typeof record>;

export const dnsReport = object(() => ({
  domain: z.string(),
  domains: meaning(list(z.string()), "All domains that can be requested."),
  checkedAt: meaning(time, "The resolver is asked at most once a minute."),
  records: list(record()),
}));
export type DnsReport = OutputOf<typeof dnsReport>;
