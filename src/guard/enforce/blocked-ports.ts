import { messageOf } from "../../core/error.ts";
import type { Audit } from "../../core/events/command.ts";
import { afterLook, isBlocked, type Passed, type PortPassage } from "../../core/firewall/ports.ts";
import { plural } from "../../core/text.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Log, Notices } from "../ports.ts";

type BlockedPortsParts = Readonly<{
  /** How far connections to the mail ports have come since the last call, by port. */
  passed: () => Promise<ReadonlyMap<number, Passed>>;
  /** Records an event. */
  audit: (audit: Audit) => void;
  notices: Notices;
  log: Log;
}>;

/** Each check runs nft, which takes some milliseconds. */
const LOOK_EVERY_MS = 8 * SECOND_MS;

/** Finds mail ports that another rule of this machine's firewall closes. No program sees their clients, and no log shows them. */
export class BlockedPorts {
  readonly #parts: BlockedPortsParts;
  #ports = new Map<number, PortPassage>();
  #blocked: readonly number[] = [];
  #lookAt = 0;
  #looking = false;

  constructor(parts: BlockedPortsParts) {
    this.#parts = parts;
  }

  /** Call it about every second. Never rejects. */
  async look(nowMs: number = performance.now()): Promise<void> {
    if (this.#looking || nowMs < this.#lookAt) return;
    this.#looking = true;
    this.#lookAt = nowMs + LOOK_EVERY_MS;
    try {
      this.#note(await this.#parts.passed(), nowMs);
    } catch (error) {
      this.#parts.log.warn("The counters of the mail ports could not be read.", { why: messageOf(error) });
    }
    this.#looking = false;
  }

  #note(passed: ReadonlyMap<number, Passed>, nowMs: number): void {
    const { audit, notices } = this.#parts;
    this.#ports = new Map(
      [...passed].map(([port, seen]) => [port, afterLook(this.#ports.get(port) ?? null, seen, nowMs)]),
    );
    const blocked = [...this.#ports].filter(([, passage]) => isBlocked(passage));
    const now = blocked.map(([port]) => port);
    const added = blocked.filter(([port]) => !this.#blocked.includes(port));
    const over = this.#blocked.filter((port) => !now.includes(port));
    for (const [port, { lost }] of added)
      audit({
        type: "PORTS_BLOCKED",
        subject: `Port ${port}: none of ${plural(lost, "packet")} arrived`,
        by: "engine",
      });
    for (const port of over) {
      const hasArrived = (passed.get(port)?.arrived ?? 0) > 0;
      const says = hasArrived ? "connections arrive again" : "no attempt for some minutes";
      audit({ type: "PORTS_BLOCKED", subject: `Port ${port}: ${says}`, by: "engine" });
    }
    this.#blocked = now;
    if (blocked.length === 0) return notices.clear("ports_blocked");
    const said = blocked.map(([port, { lost }]) => `port ${port} (${lost} packets in a row)`).join(", ");
    notices.raise("ports_blocked", `Nothing arrives at ${said}. Try: nft list ruleset`);
  }
}
