import { setTimeout as pause } from "node:timers/promises";
import { messageOf, reportOnce } from "../../core/error.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { BanStep, Firewall } from "../network-ports.ts";
import type { Clock, Log, Outcome } from "../ports.ts";
import type { BanLog } from "../storage-ports.ts";

type SessionCutterParts = Readonly<{
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
  /** Pause between two such calls, each of which starts a process, so that a burst of bans shares them. */
  pauseMs: 25,
  /** How many later steps are searched for a lifted ban. */
  stepsAhead: 2_000,
  /** Maximum bans that are read back from the kernel. Bans that are about to end may be gone. */
  readBackMost: 256,
  expiresSoonMs: 3_000,
} as const;

/** After the enforcer, has the kernel close the open connections of banned networks, and checks that the kernel holds the bans. */
export function createSessionCutter({ banLog, firewall, clock, log, missed }: SessionCutterParts) {
  let cutting: Promise<void> | null = null;
  /** The last step that the kernel has, and the last one whose sessions are closed or being closed. */
  let applied = 0;
  let done = 0;
  let isStopped = false;
  const report = reportOnce((reason) => log.warn("Sessions of banned addresses stay open.", { reason }));
  /** Whether one of these bans has been lifted since. */
  const isLifted = (prefixes: readonly Prefix[]): boolean =>
    banLog.after(done, CUT.stepsAhead).some(({ type, prefix }) => type === "delete" && prefixes.includes(prefix));
  /** Checks a sample of the new bans in the kernel. If one is missing, the table is rebuilt. */
  const readBack = async (steps: readonly BanStep[]): Promise<void> => {
    const soon = clock.now() + CUT.expiresSoonMs;
    const last = new Map(steps.map((step) => [step.prefix, step]));
    const inForce = [...last.values()].flatMap((step) =>
      step.type === "add" && (step.expiresAt === null || step.expiresAt > soon) ? [step.prefix] : [],
    );
    const held = await firewall.holds(inForce.slice(-CUT.readBackMost));
    if (held.ok || isStopped || isLifted(inForce)) return;
    log.warn("The kernel lacks a ban that it was given; rebuilding the firewall table.", { reason: held.reason });
    missed();
  };
  const cutSessions = async (): Promise<void> => {
    await Promise.resolve();
    try {
      while (done < applied) {
        if (isStopped) break;
        const upTo = applied;
        const steps = banLog.after(done, CUT.perBatch).filter(({ id }) => id <= upTo);
        done = steps.at(-1)?.id ?? upTo;
        const added = steps.filter(({ type }) => type === "add").map(({ prefix }) => prefix);
        const outcome: Outcome = added.length === 0 ? { ok: true } : await firewall.cut(added);
        report(outcome.ok ? null : outcome.reason);
        await readBack(steps);
        await pause(CUT.pauseMs);
      }
    } catch (error) {
      report(messageOf(error));
    }
    cutting = null;
  };
  return {
    /** Skips bans from before the start: the firewall itself refuses their sessions. */
    skipTo: (step: number): void => {
      done = step;
    },
    /**
     * Handles the kernel's bans up to this step. Returns at once, so that the next ban does not wait for sessions to
     * close.
     */
    cutUpTo: (step: number): void => {
      applied = step;
      if (done < applied) cutting ??= cutSessions();
    },
    /** Waits for work in flight and starts nothing new. */
    stop: async (): Promise<void> => {
      isStopped = true;
      await cutting;
    },
  };
}
