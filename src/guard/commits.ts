import { type Decision, uncounted } from "../core/decide/decision.ts";
import { type Event, isLogin } from "../core/events/event.ts";
import type { Reason } from "../core/events/reasons.ts";
import { LIMITS } from "./limits.ts";

/** Decides when the open transaction is committed. */
export class CommitTimer {
  readonly #commit: () => void;
  #isDue = false;
  #later: NodeJS.Timeout | null = null;
  #isLaterSet = false;

  constructor(commit: () => void) {
    this.#commit = commit;
  }

  /** Commits at the end of this turn of the event loop, because a client waits for the answer. */
  soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#commit);
  }

  /** Commits together with later events, at most `LIMITS.uncommittedMs` after the first call in the transaction. */
  later(): void {
    if (this.#isLaterSet) return;
    this.#isLaterSet = true;
    if (this.#later !== null) this.#later.refresh();
    else
      this.#later = setTimeout(() => {
        this.#isLaterSet = false;
        this.#commit();
      }, LIMITS.uncommittedMs);
  }

  /** Call it when the transaction has ended. */
  ended(): void {
    this.#isDue = false;
    this.#isLaterSet = false;
  }
}

/** The answer to an event that could not be decided, or whose decision cannot be recorded. */
export const UNRECORDED_PASS = uncounted("pass", "not_recorded", { recorded: false });
/** Earlier decisions, administrators' commands, and limits that count in memory while the database cannot be written. */
const APPLY_UNRECORDED: readonly Reason[] = [
  "banned",
  "account_inactive",
  "outside_networks",
  "account_recipient_limit",
  // Decided before the limits on recipients, which would not apply either if such mail passed.
  "account_mail_limit",
  "account_hold_full",
];

/**
 * The answer while the database cannot be written: a ban in force still holds, as do commands of administrators about
 * their accounts, and the mail of a held account is still held. Sign-ins are decided, and the number of recipients of an
 * account is limited. Other mail passes, because every refusal must be recorded.
 */
export function whatStillApplies(event: Event, decided: Decision): Decision {
  // No one would learn of a hold that is not recorded.
  if (decided.changes.some(({ type }) => type === "HOLD_ACCOUNT")) {
    return uncounted("defer", "account_recipient_limit", { evidence: decided.evidence, recorded: false });
  }
  return isLogin(event) || APPLY_UNRECORDED.includes(decided.reason) || decided.verdict === "hold"
    ? decided
    : UNRECORDED_PASS;
}

type Listener = (lastEventId: number) => void;

/** Tells subscribers up to which id events were committed. Each subscriber reads the events itself. */
export class CommitFeed {
  readonly #listeners = new Set<Listener>();
  #lastEventId = 0;

  publish(lastEventId: number): void {
    if (lastEventId === this.#lastEventId) return;
    this.#lastEventId = lastEventId;
    for (const listener of this.#listeners) listener(lastEventId);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
