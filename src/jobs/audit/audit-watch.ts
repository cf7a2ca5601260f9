import * as z from "zod/mini";
import type { KeeperTrouble } from "../../admin/declare/keeper.ts";
import type { AuditReport } from "../../admin/declare/reports.ts";
import type { Anchor } from "../../core/audit/chain.ts";
import { messageOf } from "../../core/error.ts";
import { DAY_MS, HOUR_MS, isoTime, MINUTE_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { appendRecord, rememberedIn } from "../../host/root-files/record-file.ts";
import type { MailAlarm } from "../../mail/notifiers/alert-mails.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { readAnchors } from "./audit-anchors.ts";
import type { createDatabaseQuestions } from "./database-questions.ts";

type Files = Pick<Layout, "auditAnchors" | "keeperSocket">;
type Databases = ReturnType<typeof createDatabaseQuestions>;

/** Longer than a database restarts or upgrades. An attacker who controls the guard could keep root from reading for longer. */
const UNREADABLE_MS = 10 * MINUTE_MS;
/** Reported until the first check, a minute after the start, when the server has time for it. */
const RESTARTED = "this was found before the keeper restarted; no check has finished since";

/**
 * Each hour, root checks the audit, and notes its last entry where the guard's user can neither write nor read: entries
 * that existed at that time cannot be removed or rewritten unnoticed. While the audit is valid, that is at most one line an hour, a
 * megabyte in a year.
 */
export function createAuditWatch(layout: Files, databases: Pick<Databases, "checkAudit">, clock: Clock) {
  const { auditAnchors } = layout;
  let nextAt = 0;
  let report: AuditReport | null = null;
  /** Since when no check has finished, and why. */
  let unread: Readonly<{ since: number; why: string }> | null = null;
  /** Whether the audit was last reported as broken: a restart of the keeper does not end that. */
  const isReported = rememberedIn(layout, "audit-broken.json", z.boolean(), false);
  const isUnread = (): boolean => unread !== null && Math.abs(clock.now() - unread.since) >= UNREADABLE_MS;
  function troubles(): readonly KeeperTrouble[] {
    const before = unread === null ? RESTARTED : `${RESTARTED}: ${unread.why}`;
    const known = isReported.get() ? before : undefined;
    const found = report === null ? known : report.fault?.says;
    const says = isUnread() ? `the audit cannot be read: ${unread?.why}` : found;
    return says === undefined ? [] : [{ code: "audit_broken", detail: says }];
  }

  return {
    /** Does nothing until the next check. Rejects if the database or the anchors cannot be read; the next call retries. */
    look: async (): Promise<void> => {
      const now = clock.now();
      if (!isHourOver(nextAt, now)) return;
      const read = async () => ({ ...readAnchors(auditAnchors), ...(await databases.checkAudit(now)) });
      const checked = await read().catch((error: unknown) => {
        unread = { since: unread?.since ?? now, why: messageOf(error) };
        isReported.set(troubles().length > 0);
        throw error;
      });
      unread = null;
      const { anchors, unreadable: unreadableAnchors, first, last: id, head: hash, anchored, fault } = checked;
      isReported.set(fault !== null);
      // Reported even if the anchor cannot be written, for example to a full disk.
      report = { checkedAt: isoTime(now), first, last: id, unreadableAnchors, fault, anchored: anchorReport(anchored) };
      const newest = anchors.at(-1);
      if (id > 0 && (newest?.id !== id || newest.hash !== hash)) {
        const added: Anchor = { at: isoTime(now), id, hash };
        appendRecord(auditAnchors, added);
        if (fault === null) report = { ...report, anchored: anchorReport(added) };
      }
      // An invalid audit is checked each minute, because root may accept it at any time.
      nextAt = now + (fault === null ? HOUR_MS : MINUTE_MS);
    },
    troubles,
    /** The last check's result, with its time; null before the first. Contains no hash and no text of an entry. */
    report: (): AuditReport | null => report,
  };
}

/** Whether the next check is due. One that is more than two hours ahead was set while the clock was ahead. */
function isHourOver(nextAt: number, now: number): boolean {
  return now >= nextAt || now <= nextAt - 2 * HOUR_MS;
}

function anchorReport(anchor: Anchor | null): AuditReport["anchored"] {
  return anchor === null ? null : { id: anchor.id, at: anchor.at };
}

/**
 * Sends the owner the newest anchor, once on a day with new entries: an intruder with root rights can rewrite the file of anchors, but
 * not a delivered mail. The file also notes what was sent, so that a restart sends nothing twice. Call the result after the audit was
 * found valid. A mail that cannot be queued is retried.
 */
export function createAnchorMails(
  { auditAnchors }: Pick<Files, "auditAnchors">,
  clock: Clock,
  mail: MailAlarm,
): () => Promise<void> {
  /** In memory, because the disk may not be able to store it. */
  let last: Anchor | undefined;
  return async () => {
    const now = clock.now();
    const due = dueOf(readAnchors(auditAnchors).anchors, last, now);
    if (due === null) return;
    const { id, hash } = due;
    const body = [
      `The audit of what administrators did ends with entry ${id}. Keep this mail where an intruder on the server cannot reach it.`,
      `To compare, save this line in a file, and run \`./ghostinbox audit verify --anchors FILE\`:`,
      JSON.stringify({ at: due.at, id, hash }),
    ];
    const about = { kind: "digest", at: now, severity: "info", title: `Audit: entry ${id}` } as const;
    const sent = await mail({ ...about, body: body.join("\n\n") });
    if (!sent.ok) return;
    last = { at: isoTime(now), id, hash, mailed: true };
    appendRecord(auditAnchors, last);
  };
}

/** The newest anchor, if it was not sent yet, and a day has passed since the last mail; the first is sent after a day. */
function dueOf(anchors: readonly Anchor[], last: Anchor | undefined, now: number): Anchor | null {
  const newest = anchors.at(-1);
  const sent = last ?? anchors.findLast(({ mailed }) => mailed === true);
  if (newest === undefined || (sent?.id === newest.id && sent.hash === newest.hash)) return null;
  const since = Date.parse((sent ?? anchors[0] ?? newest).at);
  // A future time was noted while the clock was ahead.
  return now - since >= DAY_MS || since > now ? newest : null;
}

/** Knows whether the access review (who can do what) is overdue: the audit shows when the last one was signed. */
export function createAccessReviewWatch(
  databases: Pick<Databases, "lastAudited">,
  clock: Clock,
  settings: () => Pick<Settings, "audit.review_every"> | null,
) {
  let nextAt = 0;
  /** When the review was last signed, or when the audit started (ISO 8601); null before the first entry. */
  let since: string | null = null;
  let isSigned = false;
  const troubles = (): readonly KeeperTrouble[] => {
    const every = settings()?.["audit.review_every"] ?? 0;
    if (every === 0 || since === null || clock.now() - Date.parse(since) < every) return [];
    const day = since.slice(0, 10);
    const detail = isSigned ? `the last review is from ${day}` : `there has been none since ${day}`;
    return [{ code: "access_review_overdue", detail }];
  };
  return {
    troubles,
    /** Reads the audit each hour, and more often while the review is overdue. Rejects if the audit cannot be read. */
    look: async (): Promise<void> => {
      const now = clock.now();
      if (!isHourOver(nextAt, now) && troubles().length === 0) return;
      const { at, since: oldest } = await databases.lastAudited("ACCESS_REVIEWED");
      since = at ?? oldest;
      isSigned = at !== null;
      nextAt = now + HOUR_MS;
    },
  };
}
