import type { ReportFacts } from "../../src/core/report/figures.ts";

/** A quiet week of a small server, for tests: nothing needs attention. */
export function reportFacts(changes: Partial<ReportFacts> = {}): ReportFacts {
  const day = (date: string, failed: number) => ({
    day: date,
    signedIn: 12,
    failed,
    refused: 3,
    accepted: 40,
    blocked: 5,
    delivered: 39,
  });
  return {
    host: "mail.example.org",
    from: "2026-11-13T08:00:00.000Z",
    to: "2026-11-20T08:00:00.000Z",
    span: "week",
    days: [day("2026-11-18", 2), day("2026-11-19", 0), day("2026-11-20", 7)],
    looked: { events: 1_204, isAll: true },
    addresses: [{ ip: "203.0.113.7", signIns: 12, mails: 3, connections: 40, isBanned: true }],
    triedNames: [{ name: "admin", failed: 9, isAccount: false }],
    refusals: [{ code: "block_listed", says: "The client is on a DNS block list.", count: 15 }],
    spam: {
      isOn: true,
      scored: 120,
      marked: 30,
      refused: 4,
      missed: 3,
      wrong: 1,
      users: 2,
      rules: { version: "1900000", at: "2026-11-20T04:00:00.000Z", failure: null },
    },
    bans: {
      standing: 2,
      byReason: [{ code: "login_failures", says: "Too many different wrong passwords.", count: 5 }],
    },
    audit: {
      total: 1,
      byType: [{ type: "ACCOUNT_ADDED", count: 1 }],
      latest: [{ at: "2026-11-19T10:00:00.000Z", actor: "root", type: "ACCOUNT_ADDED", subject: "anna@example.org" }],
    },
    updates: { known: true, listsAt: "2026-11-20T06:00:00.000Z", isImage: false, packages: [] },
    holes: { known: true, isInstalled: true, fixable: [], unfixed: 3 },
    hardening: { known: true, at: "2026-11-18T04:00:00.000Z", index: 84, warnings: [], suggestions: 12 },
    versions: { own: "0.1.0", node: "26.10.0" },
    certificate: {
      known: true,
      file: "/srv/mail/tls/cert.pem",
      isOwn: false,
      names: ["mail.example.org"],
      validTo: "2027-01-29T00:00:00.000Z",
      dueAt: "2027-01-15T00:00:00.000Z",
    },
    disk: {
      known: true,
      path: "/srv/mail",
      freeBytes: 60 * 1024 ** 3,
      totalBytes: 100 * 1024 ** 3,
      logBytes: 300 * 1024 ** 2,
      databaseBytes: 100 * 1024 ** 2,
      history: [],
    },
    backups: {
      isOn: true,
      last: {
        at: "2026-11-20T03:00:00.000Z",
        mails: 5_000,
        bytes: 3 * 1024 ** 3,
        place: "/srv/mail/backup/repository",
      },
      failure: null,
      isKeySeen: true,
      drillEveryDays: 30,
      drill: { at: "2026-11-02T05:00:00.000Z", tookMs: 90_000, mails: 4_900, reason: null },
    },
    accounts: { total: 4, suspended: 0, unusedDays: 90, unused: [] },
    notices: [],
    ...changes,
  };
}
