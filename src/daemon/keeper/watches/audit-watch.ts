import type { Anchor, Checked } from "../../../core/audit/chain.ts";
import { messageOf } from "../../../core/error.ts";
import { HOUR_MS, isoTime, MINUTE_MS, type Millis } from "../../../core/time.ts";
import type { Clock } from "../../../engine/ports.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { KeeperTrouble } from "../../../wire/control/keeper.ts";
import type { AuditReport } from "../../../wire/control/upkeep.ts";
import type { AskDatabases } from "../ask-databases.ts";
import { appendAnchor, readAnchors } from "./audit-anchors.ts";

type Files = Pick<Layout, "auditAnchors">;
type Databases = Pick<AskDatabases, "checkAudit">;

/** A restart or an upgrade of the database takes less than this. An attacker who took over the guard can keep root from reading for longer. */
const UNREADABLE_MS = 10 * MINUTE_MS;

/**
 * Each hour, root checks the audit, and notes its last entry where the guard's user can neither write nor read: entries
 * that existed at that time cannot be removed or rewritten unnoticed. While the audit is valid, that is at most one line an hour, a
 * megabyte in a year.
 */
export class AuditWatch {
  readonly #layout: Files;
  readonly #databases: Databases;
  readonly #clock: Clock;
  #nextAt = 0;
  #report: AuditReport | null = null;
  /** Since when no check has finished, and why. */
  #unread: Readonly<{ since: Millis; why: string }> | null = null;

  constructor(layout: Files, databases: Databases, clock: Clock) {
    this.#layout = layout;
    this.#databases = databases;
    this.#clock = clock;
  }

  /** Does nothing until the next check. Rejects if the database cannot be read; the next call retries. */
  async look(): Promise<void> {
    const now = this.#clock.now();
    if (now < this.#nextAt && now > this.#nextAt - 2 * HOUR_MS) return;
    const { first, last, anchored, unreadable, fault } = await this.#anchorNow(now);
    this.#report = {
      checkedAt: isoTime(now),
      first,
      last,
      anchored: anchored === null ? null : { id: anchored.id, at: anchored.at },
      unreadableAnchors: unreadable,
      fault,
    };
    // While it is invalid, root may accept it at any time.
    this.#nextAt = now + (fault === null ? HOUR_MS : MINUTE_MS);
  }

  troubles(): readonly KeeperTrouble[] {
    const says = this.#cannotRead() ?? this.#report?.fault?.says ?? null;
    return says === null ? [] : [{ code: "audit_broken", detail: says }];
  }

  /** The last check's result, with its time; null before the first. Contains no hash and no text of an entry. */
  report(): AuditReport | null {
    return this.#report;
  }

  #cannotRead(): string | null {
    if (this.#unread === null || this.#clock.now() - this.#unread.since < UNREADABLE_MS) return null;
    return `the audit cannot be read: ${this.#unread.why}`;
  }

  /** Checks the chain against the anchors so far, and then anchors its last entry, unless the newest anchor is that entry. */
  async #anchorNow(now: Millis): Promise<Checked & Readonly<{ unreadable: number }>> {
    const { auditAnchors } = this.#layout;
    const { anchors, unreadable } = readAnchors(auditAnchors);
    const checked = await this.#check(now);
    const { last: id, head, fault, anchored } = checked;
    const newest = anchors.at(-1);
    if (id === 0 || (newest?.id === id && newest.hash === head)) return { ...checked, unreadable };
    const added: Anchor = { at: isoTime(now), id, hash: head };
    appendAnchor(auditAnchors, added);
    return { ...checked, unreadable, anchored: fault === null ? added : anchored };
  }

  async #check(now: Millis): Promise<Checked> {
    try {
      const checked = await this.#databases.checkAudit(now);
      this.#unread = null;
      return checked;
    } catch (error) {
      this.#unread = { since: this.#unread?.since ?? now, why: messageOf(error) };
      throw error;
    }
  }
}
