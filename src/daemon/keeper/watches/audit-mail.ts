import { randomUUID } from "node:crypto";
import type { Anchor } from "../../../core/audit/chain.ts";
import { DAY_MS, isoTime } from "../../../core/time.ts";
import type { Clock } from "../../../engine/ports.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { KeeperReply } from "../../../wire/control/keeper.ts";
import type { AlertMail } from "../alert-mails.ts";
import { appendAnchor, readAnchors } from "./audit-anchors.ts";

export type AuditMailParts = Readonly<{
  layout: Pick<Layout, "auditAnchors">;
  clock: Clock;
  mail: (alert: AlertMail) => Promise<KeeperReply>;
}>;

/**
 * Sends the owner the newest anchor, once on a day with new entries: an intruder with root rights can rewrite the file of anchors, but
 * not a delivered mail. The file also notes what was sent, so that a restart sends nothing twice.
 */
export class AuditMail {
  readonly #parts: AuditMailParts;

  constructor(parts: AuditMailParts) {
    this.#parts = parts;
  }

  /** Call it after the audit was found valid. A mail that cannot be queued is retried. */
  async look(): Promise<void> {
    const { layout, clock, mail } = this.#parts;
    const { anchors } = readAnchors(layout.auditAnchors);
    const now = clock.now();
    const due = dueOf(anchors, now);
    if (due === null) return;
    const { id, hash } = due;
    const line = JSON.stringify({ at: due.at, id, hash });
    const body = [
      `The audit of what administrators did ends with entry ${id}. Keep this mail where an intruder on the server cannot reach it.`,
      `To compare, save this line in a file, and run \`./ghostinbox audit verify --anchors FILE\`:`,
      line,
    ];
    const sent = await mail({
      verb: "mail_alert",
      id: randomUUID(),
      kind: "digest",
      at: now,
      severity: "info",
      title: `Audit: entry ${id}`,
      body: body.join("\n\n"),
    });
    if (sent.ok) appendAnchor(layout.auditAnchors, { at: isoTime(now), id, hash, mailed: true });
  }
}

/** The newest anchor, if it was not sent yet, and a day has passed since the last mail; the first is sent after a day. */
function dueOf(anchors: readonly Anchor[], now: number): Anchor | null {
  const newest = anchors.at(-1);
  const sent = anchors.findLast(({ mailed }) => mailed === true);
  if (newest === undefined || (sent?.id === newest.id && sent.hash === newest.hash)) return null;
  const since = Date.parse((sent ?? anchors[0] ?? newest).at);
  // A future time was noted while the clock was ahead.
  return now - since >= DAY_MS || since > now ? newest : null;
}
