import { messageOf, reportOnce } from "../../core/error.ts";
import type { Audit } from "../../core/events/command.ts";
import { afterLook, isBlocked, type Passed, type PortPassage } from "../../core/firewall/blocked-ports.ts";
import { unlessRunning } from "../../core/one-after-another.ts";
import { plural } from "../../core/text.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Log, Notices } from "../ports.ts";

type BlockedPortsParts = Readonly<{
  /** How far connections to the mail ports have come since the last call, by port. */
  passed: () => Promise<ReadonlyMap<number, Passed>>;
  audit: (audit: Audit) => void;
  notices: Notices;
  log: Log;
}>;

/** Each check runs nft, which takes some milliseconds. */
const LOOK_EVERY_MS = 8 * SECOND_MS;

/** Finds mail ports that another rule of this machine's firewall closes. No program sees their clients, and no log shows them. */
export function createBlockedPortsWatch({ passed, audit, notices, log }: BlockedPortsParts) {
  let ports = new Map<number, PortPassage>();
  let before: readonly number[] = [];
  let lookAt = 0;
  const report = reportOnce((why) => log.warn("The counters of the mail ports could not be read.", { why }));
  const record = (port: number, says: string): void =>
    audit({ type: "PORTS_BLOCKED", subject: `Port ${port}: ${says}`, by: "engine" });
  const note = (counters: ReadonlyMap<number, Passed>, nowMs: number): void => {
    ports = new Map([...counters].map(([port, seen]) => [port, afterLook(ports.get(port) ?? null, seen, nowMs)]));
    const blocked = [...ports].filter(([, passage]) => isBlocked(passage));
    const now = blocked.map(([port]) => port);
    for (const [port, { lost }] of blocked)
      if (!before.includes(port)) record(port, `none of ${plural(lost, "packet")} arrived`);
    for (const port of before) {
      if (now.includes(port)) continue;
      const hasArrived = (counters.get(port)?.arrived ?? 0) > 0;
      record(port, hasArrived ? "connections arrive again" : "no attempt for some minutes");
    }
    before = now;
    if (blocked.length === 0) return notices.set("ports_blocked", null);
    const blockedPorts = blocked.map(([port, { lost }]) => `port ${port} (${lost} packets in a row)`).join(", ");
    notices.set("ports_blocked", `Nothing arrives at ${blockedPorts}. Try: nft list ruleset`);
  };
  return {
    /** Call it about every second. Never rejects. */
    look: unlessRunning(async (nowMs: number = performance.now()) => {
      if (nowMs < lookAt) return;
      lookAt = nowMs + LOOK_EVERY_MS;
      try {
        note(await passed(), nowMs);
        report(null);
      } catch (error) {
        report(messageOf(error));
      }
    }),
  };
}
