import { setTimeout as pause } from "node:timers/promises";
import { messageOf, reportOnce } from "../../core/error.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { BanStep, Firewall } from "../network-ports.ts";
import type { Clock, Log, Outcome } from "../ports.ts";
import type { BanLog } from "../storage-ports.ts";

type KernelSessionCutterParts = Readonly<{
  banLog: BanLog;
  firewall: Firewall;
  clock: Clock;
  log: Log;
  /** Called if the kernel lacks a ban that it was given. */
  missed: () => void;
}>;

const CUT = {
  /** Networks whose sessions are closed in one call. */
  perBatch: 1_000,
  /** Between two such calls, each of which starts a process. A burst of bans shares them. */
  pauseMs: 25,
  /** How many steps ahead it checks for a lifted ban. */
  stepsAhead: 2_000,
  /** Maximum bans that are read back from the kernel. Bans that are about to end may be gone. */
  readBackMost: 256,
  expiresSoonMs: 3_000,
} as const;

/** Works behind the enforcer: has the kernel close the open connections of banned networks, and checks that the kernel holds the bans. */
export class KernelSessionCutter {
  readonly #parts: KernelSessionCutterParts;
  #cutting: Promise<void> | null = null;
  #applied = 0;
  #cut = 0;
  readonly #report: (reason: string | null) => void;
  #stopped = false;

  constructor(parts: KernelSessionCutterParts) {
    this.#parts = parts;
    this.#report = reportOnce((reason) => parts.log.warn("Sessions of banned addresses stay open.", { reason }));
  }

  /** Skips bans from before the start: the firewall itself refuses their sessions. */
  skipTo(step: number): void {
    this.#cut = step;
  }

  /**
   * Handles the kernel's bans up to this step. Returns at once, so that the next ban does not wait for sessions to
   * close.
   */
  cutUpTo(applied: number): void {
    this.#applied = applied;
    if (this.#cut < this.#applied) this.#cutting ??= this.#cutSessions();
  }

  /** Waits for work in flight and starts nothing new. */
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
        this.#report(outcome.ok ? null : outcome.reason);
        await this.#readBack(steps);
        await pause(CUT.pauseMs);
      }
    } catch (error) {
      this.#report(messageOf(error));
    }
    this.#cutting = null;
  }

  /** Checks a sample of the new bans in the kernel. If one is missing, the table is rebuilt. */
  async #readBack(steps: readonly BanStep[]): Promise<void> {
    const { firewall, clock, log, missed } = this.#parts;
    const soon = clock.now() + CUT.expiresSoonMs;
    const last = new Map(steps.map((step) => [step.prefix, step]));
    const standing = [...last.values()].flatMap((step) =>
      step.type === "add" && (step.expiresAt === null || step.expiresAt > soon) ? [step.prefix] : [],
    );
    const held = await firewall.holds(standing.slice(-CUT.readBackMost));
    if (held.ok || this.#stopped || this.#isLifted(standing)) return;
    log.warn("The kernel lacks a ban that it was given; the firewall is rebuilt.", { reason: held.reason });
    missed();
  }

  /** Whether one of these bans was lifted since. */
  #isLifted(prefixes: readonly Prefix[]): boolean {
    const later = this.#parts.banLog.after(this.#cut, CUT.stepsAhead);
    return later.some(({ type, prefix }) => type === "delete" && prefixes.includes(prefix));
  }
}
