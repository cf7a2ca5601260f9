import { checkAudit } from "../../adapters/sqlite/read/audit-entries.ts";
import type { Anchor, Checked } from "../../core/audit/chain.ts";
import { HOUR_MS, isoTime, MINUTE_MS } from "../../core/time.ts";
import type { Clock } from "../../engine/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import type { KeeperTrouble } from "../../wire/control/keeper.ts";
import type { AuditReport } from "../../wire/control/upkeep.ts";
import { appendAnchor, readAnchors } from "./audit-anchors.ts";

/**
 * Each hour, root checks the audit, and notes its last entry where the guard's user can neither write nor read: what was
 * there at that time cannot be taken away or written again unnoticed. While it fits, that is at most one line an hour, a
 * megabyte in a year.
 */
export class AuditWatch {
  readonly #layout: Pick<Layout, "engineDb" | "auditAnchors">;
  readonly #clock: Clock;
  #nextAt = 0;
  #report: AuditReport | null = null;

  constructor(layout: Pick<Layout, "engineDb" | "auditAnchors">, clock: Clock) {
    this.#layout = layout;
    this.#clock = clock;
  }

  /** Does nothing until it is time. Throws if the database cannot be read; then it is tried again at the next look. */
  look(): void {
    const now = this.#clock.now();
    if (now < this.#nextAt && now > this.#nextAt - 2 * HOUR_MS) return;
    const { first, last, anchored, unreadable, fault } = anchorNow(this.#layout, this.#clock);
    this.#report = {
      checkedAt: isoTime(now),
      first,
      last,
      anchored: anchored === null ? null : { id: anchored.id, at: anchored.at },
      unreadableAnchors: unreadable,
      fault,
    };
    // While it does not fit, root may accept it at any time.
    this.#nextAt = now + (fault === null ? HOUR_MS : MINUTE_MS);
  }

  troubles(): readonly KeeperTrouble[] {
    const fault = this.#report?.fault ?? null;
    return fault === null ? [] : [{ code: "audit_broken", detail: fault.says }];
  }

  /** What the last check found, with its time; null: there was none yet. No hash, and nothing that an entry says. */
  report(): AuditReport | null {
    return this.#report;
  }
}

/** Checks the chain against the anchors so far, and then anchors its last entry, unless the newest anchor is that. */
function anchorNow(
  { engineDb, auditAnchors }: Pick<Layout, "engineDb" | "auditAnchors">,
  clock: Clock,
): Checked & Readonly<{ unreadable: number }> {
  const { anchors, unreadable } = readAnchors(auditAnchors);
  const checked = checkAudit(engineDb, anchors, clock.now());
  const { last: id, head, fault, anchored } = checked;
  const newest = anchors.at(-1);
  if (id === 0 || (newest?.id === id && newest.hash === head)) return { ...checked, unreadable };
  const added: Anchor = { at: isoTime(clock.now()), id, hash: head };
  appendAnchor(auditAnchors, added);
  return { ...checked, unreadable, anchored: fault === null ? added : anchored };
}
