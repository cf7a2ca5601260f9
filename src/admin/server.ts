import * as z from "zod/mini";
import { SEVERITIES } from "../core/alerts/alerts.ts";
import { keyCounts } from "./declare/account-key.ts";
import { type OutputOf, object } from "./declare/fields.ts";
import { count, list, meaning, next, numberedPage, orNull, page, pageOf, records, time } from "./declare/kinds.ts";
import {
  auditReport,
  certificateReport,
  checksReport,
  dnsReport,
  encryptionReport,
  fail2banReport,
  firewallReport,
  incidentsReport,
  retentionReport,
  upkeepItem,
} from "./declare/reports.ts";
import { ADMIN, READ, reads, verb } from "./declare/verb.ts";

/** The server's upkeep: alerts, the audit, and root's reports, which the web can read but not change. */

const alert = object(() => ({
  code: z.string(),
  subject: meaning(z.string(), "The component or account; empty if there is only one."),
  severity: z.enum(SEVERITIES),
  says: z.string(),
  detail: z.string(),
  next: meaning(z.string(), "What to do."),
  openedAt: time,
  resolvedAt: meaning(z.nullable(time), "Null while it is open."),
}));
export type AlertItem = OutputOf<typeof alert>;
const alerts = object(() => ({
  ...pageOf(alert)().shape,
  channels: records({
    name: z.string(),
    failing: meaning(z.nullable(z.string()), "Why it has failed several times in a row; null if it works."),
  }),
  leadOut: meaning(
    z.boolean(),
    "Whether news that mail does not flow can reach the owner without this server's own mail queue: by another channel or the heartbeat.",
  ),
}));
export type AlertList = OutputOf<typeof alerts>;
const tests = object(() => ({
  results: records({
    channel: z.string(),
    ok: z.boolean(),
    detail: meaning(z.string(), "Why it failed; empty if not."),
  }),
}));
export type ChannelTests = OutputOf<typeof tests>;
const ALERT_TEST = { bound: "alertTests", dryRun: "It changes nothing: it sends a message to each channel." } as const;

const audited = object(() => ({
  items: records({
    id: count,
    at: meaning(z.string(), "ISO 8601 in UTC."),
    actor: meaning(z.string(), "Who did it, such as `root` or `web:admin via 198.51.100.9`."),
    type: z.string(),
    subject: z.string(),
    detail: meaning(z.string(), "The JSON that was hashed."),
    previous: meaning(z.string(), "The hash of the entry before."),
    hash: meaning(z.string(), "SHA-256 in hexadecimal."),
  }),
  next,
}));
const verified = object(() => ({
  audit: meaning(z.nullable(auditReport()), "Null if it was not checked since the server started."),
}));

const encryption = object(() => ({ ...encryptionReport().shape, accounts: keyCounts() }));
const domain = z.string("is not text").check(z.maxLength(253, "has more than 253 characters"));
const ofDomain = { domain: orNull(domain, "A mail domain of the server; the first one without it.") };
const upkeep = object(() => ({ items: list(upkeepItem()) }));

export const SERVER_VERBS = [
  verb("alerts_list", READ, page(), reads(alerts)).http(
    "GET /alerts",
    "Alerts, open ones first, newest first of each, a page at a time; and the channels that send them.",
  ),
  verb("alerts_test", ADMIN, {}, reads(tests, ALERT_TEST)).http(
    "POST /alerts/test",
    "Sends a test to each alert channel, and says whether it was accepted. At most ten times an hour.",
  ),
  // An entry may take several kilobytes.
  verb("audit_list", ADMIN, numberedPage(100), reads(audited)).http(
    "GET /audit",
    "Administrators' actions, newest first, a page at a time.",
  ),
  verb("audit_verify", ADMIN, {}, reads(verified)).http(
    "GET /audit/verify",
    "What root's last check of the audit found: whether the chain is whole, and matches root's anchors.",
  ),
  verb("incident_list", ADMIN, {}, reads(incidentsReport)).http(
    "GET /incidents",
    "Incidents, the timeline of the open one, and whether the server is isolated.",
  ),
  verb("firewall", READ, {}, reads(firewallReport)).http("GET /firewall", "What the firewall accepts now."),
  verb("checks", READ, {}, reads(checksReport)).http(
    "GET /checks",
    "The results of the last run of the checks of the whole server. Starts no check.",
  ),
  verb("fail2ban", READ, {}, reads(fail2banReport)).http(
    "GET /fail2ban",
    "The jails of Fail2ban and what they found. Fail2ban is asked once a minute.",
  ),
  verb("encryption", ADMIN, {}, reads(encryption)).http(
    "GET /encryption",
    "Whether mail is encrypted on the disk, whether it can be read, and which accounts have their own keys.",
  ),
  verb("retention", ADMIN, {}, reads(retentionReport)).http(
    "GET /retention",
    "When old mail is next removed, what the last run removed, and whose mail is under legal hold.",
  ),
  verb("upkeep", READ, {}, reads(upkeep)).http(
    "GET /upkeep",
    "The results of the last backup, restore drill, checks, report and the like.",
  ),
  verb("certificate", READ, {}, reads(certificateReport)).http(
    "GET /certificate",
    "The certificate of the mail ports: its names, its end, and which ports give it.",
  ),
  verb("dns_check", READ, ofDomain, reads(dnsReport)).http(
    "GET /dns",
    "The DNS records of a mail domain as they should be, and whether they are published.",
  ),
] as const;
