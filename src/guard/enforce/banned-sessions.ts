import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../core/error.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import type { Keeper } from "../admin-ports.ts";
import type { Log } from "../ports.ts";

export type BannedSessionsParts = Readonly<{
  keeper: Keeper;
  isBanned: (client: Ip) => boolean;
  /** A burst of bans shares what starts a process. */
  pauseMs?: number;
  log: Log;
}>;

const PAUSE_MS = 250;

/**
 * Has Dovecot end the IMAP sessions of banned addresses where the firewall does not: it is off, or clients come through a proxy. It looks
 * at the sessions that are open instead of at new bans, so it also finds those that an earlier attempt could not end, and those that
 * opened later because Dovecot was still verifying the password. Open SMTP sessions end at their next question to the guard.
 */
export class BannedSessions {
  readonly #parts: BannedSessionsParts;
  #isDue = false;
  #isWorking = false;
  /** Why the last attempt failed, which is logged once. */
  #failure: string | null = null;

  constructor(parts: BannedSessionsParts) {
    this.#parts = parts;
  }

  /** Call it after each commit that changed bans, and every few seconds. Returns at once and never throws. */
  look(): void {
    this.#isDue = true;
    if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    const { log, pauseMs = PAUSE_MS } = this.#parts;
    this.#isWorking = true;
    while (this.#isDue) {
      this.#isDue = false;
      const failure = await this.#endAll().catch(messageOf);
      if (failure !== null && failure !== this.#failure)
        log.warn("Sessions of banned addresses may stay open; the guard retries.", { reason: failure });
      this.#failure = failure;
      await pause(pauseMs);
    }
    this.#isWorking = false;
  }

  /** Null, or why it failed. */
  async #endAll(): Promise<string | null> {
    const { keeper, isBanned } = this.#parts;
    const open = await keeper.ask({ verb: "imap_clients" });
    if (!open.ok) return open.reason;
    const clients = (open.clients ?? []).flatMap((client) => parseIp(client) ?? []).filter(isBanned);
    const ended = clients.length === 0 ? null : await keeper.ask({ verb: "end_imap", clients });
    return ended?.ok === false ? ended.reason : null;
  }
}
