import { messageOf } from "../../core/error.ts";
import type { Audit } from "../../core/events/command.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { isoTime, MINUTE_MS, type Millis } from "../../core/time.ts";
import type { CheckOutcome, Firewall } from "../network-ports.ts";
import type { Clock, Log, Notices, Outcome } from "../ports.ts";
import type { BanLog } from "../storage-ports.ts";
import { createSessionCutter } from "./cut-sessions.ts";

type EnforcerParts = Readonly<{
  banLog: BanLog;
  firewall: Firewall;
  /** Networks that always pass: the machine's own and both allow lists. */
  allowList: () => readonly Prefix[];
  /** With proxies the table is checked more often, because anyone could forge a PROXY header while it is missing. */
  hasProxies: boolean;
  audit: (audit: Audit) => void;
  clock: Clock;
  notices: Notices;
  log: Log;
}>;

export type EnforcerStatus = Readonly<{
  state: "starting" | "enforcing" | "unavailable" | "stopped" | "off";
  /** The id of the last `BanStep` that the kernel has. */
  lastStep: number;
  reason: string | null;
}>;

export const ENFORCE = {
  stepsPerBatch: 2_000,
  verifyMs: 10_000,
  /** Interval of quick checks between the whole ones every `verifyMs`. */
  verifyProxiedMs: 1_000,
  firstRetryMs: 100,
  lastRetryMs: 10_000,
  /** More than `lastRetryMs` and the longest reset: two runs of nft, each of which may take 30 s. */
  calmMs: 75_000,
  lossNoticeMs: 10 * MINUTE_MS,
} as const;

/** For a server without our firewall, where only Postfix and Dovecot enforce bans. */
export const noEnforcement: Pick<BanEnforcer, "start" | "nudge" | "rebuild" | "status" | "stop"> = {
  start: () => Promise.resolve(),
  nudge: () => undefined,
  rebuild: () => undefined,
  status: () => ({ state: "off", lastStep: 0, reason: null }),
  stop: () => Promise.resolve(),
};

/**
 * Makes the firewall match the database. No other code writes bans into the firewall. There is no queue that could overflow: a
 * nudge only sets a flag, and the steps after the last one applied are read from the database.
 */
export class BanEnforcer {
  readonly #parts: EnforcerParts;
  readonly #cutter: ReturnType<typeof createSessionCutter>;
  #isPending = false;
  #isResetPending = true;
  #isCheckPending = false;
  #draining: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  /** Null: not started. */
  #timer: NodeJS.Timeout | null = null;
  /**
   * Failures since the firewall last worked. A successful reset, or a check soon after a failure, does not clear it; otherwise a
   * failing `apply` would reset forever.
   */
  #failures = 0;
  #failedAt = 0;
  #applied = 0;
  /** When a check was last `whole`. */
  #checkedAt = Number.NEGATIVE_INFINITY;
  /** When the table was last found missing or changed. */
  #lostAt: Millis | null = null;
  #allowed = "";
  #stopped = false;
  #state: Exclude<EnforcerStatus["state"], "stopped" | "off"> = "starting";
  #reason: string | null = null;

  constructor(parts: EnforcerParts) {
    this.#parts = parts;
    this.#cutter = createSessionCutter({ ...parts, missed: () => this.rebuild() });
  }

  /** Fills the firewall with the bans in force. Resolves after the first attempt, whether or not it succeeded. */
  async start(): Promise<void> {
    // The firewall itself refuses the sessions of earlier bans.
    this.#cutter.skipTo(this.#parts.banLog.last());
    const everyMs = this.#parts.hasProxies ? ENFORCE.verifyProxiedMs : ENFORCE.verifyMs;
    this.#timer = setInterval(() => void this.verify(), everyMs);
    this.nudge();
    await this.#draining;
  }

  /** Call it after each commit that changed bans. Cheap; never throws. */
  nudge(): void {
    this.#isPending = true;
    // A nudge must not shorten the wait for the next try: the retry reads everything anyway, and so does `start`.
    if (this.#retry === null && this.#timer !== null && !this.#stopped) this.#draining ??= this.#drain();
  }

  /** Rebuilds the table: the allow list, own networks or the IPv6 prefix length changed, or the table let a banned client through. */
  rebuild(): void {
    this.#isResetPending = true;
    this.nudge();
  }

  /** Checks whether the firewall is still complete, and repairs it. */
  async verify(): Promise<void> {
    this.#isCheckPending = true;
    this.nudge();
    await this.#draining;
  }

  status(): EnforcerStatus {
    return { state: this.#stopped ? "stopped" : this.#state, lastStep: this.#applied, reason: this.#reason };
  }

  /** Ends within the firewall's time-outs. Bans stay in the kernel. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const cut = this.#cutter.stop();
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#draining;
    await cut;
  }

  /** Only one drain runs, however many nudges arrive. It ends in the same turn in which it last reads the flag. */
  async #drain(): Promise<void> {
    // Lets the caller store the promise of this drain first.
    await Promise.resolve();
    while (this.#isPending && !this.#stopped) {
      this.#isPending = false;
      const outcome = await this.#bringUpToDate();
      if (!this.#stopped) this.#settle(outcome);
      this.#cutter.cutUpTo(this.#applied);
    }
    this.#draining = null;
  }

  async #bringUpToDate(): Promise<Outcome> {
    try {
      // Checks before a reset too, which would repair a lost table before anyone noticed the loss.
      const mustLook = this.#isResetPending ? this.#state === "enforcing" : this.#isCheckPending;
      if (mustLook) await this.#look();
      this.#isCheckPending = false;
      if (this.#isResetPending) return await this.#reset();
      const applied = await this.#applySteps();
      if (!applied.ok) this.#reportLoss(await this.#parts.firewall.check("whole"));
      return applied;
    } catch (error) {
      return { ok: false, reason: messageOf(error) };
    }
  }

  /** Asks for a reset if the table was flushed or own addresses changed. Checks `whole` before a reset, which would hide emptied sets. */
  async #look(): Promise<void> {
    const { allowList, clock, firewall, hasProxies } = this.#parts;
    const now = clock.now();
    this.#isResetPending ||= allowList().join(" ") !== this.#allowed;
    const isQuick = hasProxies && !this.#isResetPending && Math.abs(now - this.#checkedAt) < ENFORCE.verifyMs;
    if (!isQuick) this.#checkedAt = now;
    const checked = await firewall.check(isQuick ? "quick" : "whole");
    if (!checked.ok) this.#parts.log.warn("Rebuilding the firewall table.", { reason: checked.reason });
    this.#reportLoss(checked);
    if (checked.ok && Math.abs(now - this.#failedAt) >= ENFORCE.calmMs) this.#failures = 0;
    // Not only after the rebuild, which takes seconds with many bans.
    if ("isLost" in checked) [this.#state, this.#reason] = ["unavailable", checked.reason];
    this.#isResetPending ||= !checked.ok;
  }

  /** Reports for a while that another program emptied or changed the table, because it may do so again. */
  #reportLoss(checked: CheckOutcome): void {
    const { notices, clock, audit } = this.#parts;
    const now = clock.now();
    if ("isLost" in checked && this.#state === "enforcing") {
      // A program that removes the table every minute causes one event, not thousands.
      if (this.#lostAt === null) audit({ type: "FIREWALL_LOST", subject: checked.reason, by: "engine" });
      this.#lostAt = now;
      notices.set("firewall_lost", `${isoTime(now)}: ${checked.reason}`);
    } else if (this.#lostAt !== null && Math.abs(now - this.#lostAt) >= ENFORCE.lossNoticeMs) {
      this.#lostAt = null;
      notices.set("firewall_lost", null);
    }
  }

  async #reset(): Promise<Outcome> {
    const { banLog, firewall, allowList, clock, notices } = this.#parts;
    const last = banLog.last();
    const now = clock.now();
    const allow = allowList();
    this.#isResetPending = false;
    const outcome = await firewall.reset(banLog.active(now), allow, now);
    if (outcome.ok) {
      notices.set("connections_uncounted", "uncounted" in outcome ? outcome.uncounted : null);
      this.#applied = last;
      this.#allowed = allow.join(" ");
      // Bans may have been committed while it ran.
      this.#isPending = true;
    }
    return outcome;
  }

  async #applySteps(): Promise<Outcome> {
    const { banLog, firewall, clock } = this.#parts;
    const steps = banLog.after(this.#applied, ENFORCE.stepsPerBatch);
    const last = steps.at(-1);
    if (last === undefined) return { ok: true };
    const outcome = await firewall.apply(steps, clock.now());
    if (outcome.ok) {
      this.#applied = last.id;
      this.#failures = 0;
      this.#isPending = true;
    }
    return outcome;
  }

  #settle(outcome: Outcome): void {
    const { notices, clock } = this.#parts;
    if (outcome.ok) {
      this.#state = "enforcing";
      this.#reason = null;
      notices.set("firewall_unavailable", null);
      return;
    }
    this.#state = "unavailable";
    this.#reason = outcome.reason;
    this.#isResetPending = true;
    notices.set("firewall_unavailable", outcome.reason);
    this.#failures += 1;
    this.#failedAt = clock.now();
    // The first failure is retried at once.
    this.#isPending = this.#failures === 1;
    if (this.#isPending) return;
    const delayMs = Math.min(ENFORCE.lastRetryMs, ENFORCE.firstRetryMs * 2 ** (this.#failures - 2));
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.nudge();
    }, delayMs);
  }
}
