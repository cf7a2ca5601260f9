import { messageOf } from "../../core/error.ts";
import type { Keeper } from "../admin-ports.ts";
import type { Log } from "../ports.ts";
import type { BanLog } from "../storage-ports.ts";

export type KickerParts = Readonly<{ banLog: Pick<BanLog, "last" | "after">; keeper: Keeper; log: Log }>;

const KICKS_PER_LOOK = 100;

/**
 * Closes the IMAP sessions of banned addresses on a server without firewall. Each costs a process, so in a flood of
 * bans only the newest are handled. Open SMTP sessions end at their next question to the guard.
 */
export class Kicker {
  readonly #parts: KickerParts;
  #done: number;
  #isWorking = false;

  constructor(parts: KickerParts) {
    this.#parts = parts;
    this.#done = parts.banLog.last();
  }

  /** Call it after each commit that changed bans. `wanted`: nothing else closes the sessions. Never throws. */
  nudge(wanted: boolean): void {
    if (!wanted) this.#done = this.#parts.banLog.last();
    else if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    const { banLog, keeper, log } = this.#parts;
    this.#isWorking = true;
    try {
      while (this.#done < banLog.last()) {
        const steps = banLog.after(Math.max(this.#done, banLog.last() - KICKS_PER_LOOK), KICKS_PER_LOOK);
        this.#done = steps.at(-1)?.id ?? banLog.last();
        for (const step of steps) {
          const kicked = step.type === "add" ? await keeper.ask({ verb: "kick_network", prefix: step.prefix }) : null;
          if (kicked?.ok === false) log.warn("Sessions of a banned address stay open.", { reason: kicked.reason });
        }
      }
    } catch (error) {
      log.warn("Sessions of banned addresses stay open.", {
        reason: messageOf(error),
      });
    }
    this.#isWorking = false;
  }
}
