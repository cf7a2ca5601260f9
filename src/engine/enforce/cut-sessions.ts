import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../core/error.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { BanStep, Firewall } from "../network-ports.ts";
import type { Clock, Log, Outcome } from "../ports.ts";
import type { BanLog } from "../storage-ports.ts";

export type SessionCutterParts = Readonly<{
  banLog: BanLog;
  firewall: Firewall;
  clock: Clock;
  log: Log;
  /** The kernel lacks a ban that it was given. */
  missed: () => void;
}>;

export const CUT = {
  /** Networks whose sessions are cut in one go. */
  perBatch: 1_000,
  /** Between two cuts, each of which starts a process: a burst of bans shares them. */
  pauseMs: 25,
  /** How far it is looked whether a ban was lifted meanwhile. */
  stepsAhead: 2_000,
  /** Bans that are read back after they were given to the kernel; those about to end may be gone. */
  readBackMost: 256,
  expiresSoonMs: 3_000,
} as const;

/** Follows behind the enforcer: ends the open sessions of what was banned, and looks whether the kernel has the bans. */
export class SessionCutter {
  readonly #parts: SessionCutterParts;
  #cutting: Promise<void> | null = null;
  #applied = 0;
  #cut = 0;
  #cutReason: string | null = null;
  #stopped = false;

  constructor(parts: SessionCutterParts) {
    this.#parts = parts;
  }

  /** The bans that stand already: the firewall itself refuses their sessions. */
  skipTo(step: number): void {
    this.#cut = step;
  }

  /** What the kernel has up to this step. Returns at once: the next ban need not wait for the sessions of the last. */
  follow(applied: number): void {
    this.#applied = applied;
    if (this.#cut < this.#applied) this.#cutting ??= this.#cutSessions();
  }

  /** Waits for what is under way, and begins nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#cutting;
  }

  async #cutSessions(): Promise<void> {
    const { banLog, firewall } = this.#parts;
    await Promise.resolve();
    try {
      while (this.#cut < this.#applied && !this.#stopped) {
        const upTo = this.#applied;
        const steps = banLog.after(this.#cut, CUT.perBatch).filter(({ id }) => id <= upTo);
        this.#cut = steps.at(-1)?.id ?? upTo;
        const added = steps.filter(({ type }) => type === "add").map(({ prefix }) => prefix);
        const outcome: Outcome = added.length === 0 ? { ok: true } : await firewall.cut(added);
        this.#sayCut(outcome.ok ? null : outcome.reason);
        await this.#readBack(steps);
        await pause(CUT.pauseMs);
      }
    } catch (error) {
      this.#sayCut(messageOf(error));
    }
    this.#cutting = null;
  }

  /** Of what was just added, a part at most: whether the kernel really has it. If not, the table is made anew. */
  async #readBack(steps: readonly BanStep[]): Promise<void> {
    const { firewall, clock, log, missed } = this.#parts;
    const soon = clock.now() + CUT.expiresSoonMs;
    const last = new Map(steps.map((step) => [step.prefix, step]));
    const standing = [...last.values()].flatMap((step) =>
      step.type === "add" && (step.expiresAt === null || step.expiresAt > soon) ? [step.prefix] : [],
    );
    const held = await firewall.holds(standing.slice(-CUT.readBackMost));
    if (held.ok || this.#stopped || this.#isLifted(standing)) return;
    log.warn("The kernel lacks a ban that it was given; the firewall is made anew.", { reason: held.reason });
    missed();
  }

  /** Whether one of these was let go of meanwhile. */
  #isLifted(prefixes: readonly Prefix[]): boolean {
    const later = this.#parts.banLog.after(this.#cut, CUT.stepsAhead);
    return later.some(({ type, prefix }) => type === "delete" && prefixes.includes(prefix));
  }

  /** Once for each reason: in a flood of bans it would fill the log. */
  #sayCut(reason: string | null): void {
    if (reason !== null && reason !== this.#cutReason)
      this.#parts.log.warn("Sessions of banned addresses stay open.", { reason });
    this.#cutReason = reason;
  }
}
