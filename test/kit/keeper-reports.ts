import type { Results } from "../../src/admin/declare/control.ts";
import type {
  ChecksReport,
  FirewallReport,
  IncidentsReport,
  RetentionReport,
} from "../../src/admin/declare/reports.ts";

/** Sample reports of the keeper. */

const AT = "2026-11-20T06:00:00.000Z";

export const INCIDENTS: IncidentsReport = {
  incidents: [
    { id: "2026-11-20-a-break-in", title: "A break-in", openedAt: AT, since: AT, closedAt: null, steps: 2 },
    { id: "2026-10-01-a-test", title: "A test", openedAt: AT, since: AT, closedAt: AT, steps: 3 },
  ],
  timeline: [
    { at: AT, by: "root", step: "open", says: "The incident was opened: A break-in.", audited: true },
    { at: AT, by: "root", step: "note", says: "The provider was called.", audited: false },
  ],
  isolation: { incident: "2026-11-20-a-break-in", since: AT, allow: ["198.51.100.9/32"], shut: ["sign-in"] },
};

export const FIREWALL: FirewallReport = {
  state: "trial",
  open: ["22/tcp4", "25/tcp"],
  trusted: ["wg0"],
  confirmWithinSeconds: 90,
  faults: [],
};

export const RETENTION: RetentionReport = {
  nextRunAt: "2026-11-21T03:00:00.000Z",
  lastRun: { at: AT, mails: 3, bytes: 4_000 },
  failure: null,
  paused: null,
  legalHolds: [{ account: "anna@example.org", since: AT }],
};

export const ENCRYPTION: Results["encryption"] = {
  encrypts: true,
  byAccount: true,
  readable: false,
  fingerprint: "00ff",
  accounts: { own: 2, without: ["bert@example.org"], ofFile: 1, closed: [] },
};

export const FAIL2BAN: Results["fail2ban"] = {
  enabled: true,
  sentences: "unjudged",
  jails: [{ name: "postfix-sasl", watched: 2, found: 9, reports: 1 }],
  refused: [{ file: "gullible.conf", reason: "attackers choose what it reads" }],
};

export const CHECKS: ChecksReport = {
  at: AT,
  checks: [
    { id: "tls.certificate", state: "ok", passedAt: AT },
    { id: "dns.ptr", state: "wrong", passedAt: null },
  ],
};
