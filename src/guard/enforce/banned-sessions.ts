import { setTimeout as pause } from "node:timers/promises";
import { messageOf, reportOnce } from "../../core/error.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import type { Keeper } from "../admin-ports.ts";
import type { Log } from "../ports.ts";

type BannedSessionsParts = Readonly<{
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
export function createBannedSessions({ keeper, isBanned, pauseMs = PAUSE_MS, log }: BannedSessionsParts) {
  let isDue = false;
  let isWorking = false;
  const report = reportOnce((reason) =>
    log.warn("Sessions of banned addresses may stay open; the guard retries.", { reason }),
  );
  /** Null, or why it failed. */
  const endAll = async (): Promise<string | null> => {
    const open = await keeper.ask({ verb: "imap_clients" });
    if (!open.ok) return open.reason;
    const clients = (open.clients ?? []).flatMap((client) => parseIp(client) ?? []).filter(isBanned);
    const ended = clients.length === 0 ? null : await keeper.ask({ verb: "end_imap", clients });
    return ended?.ok === false ? ended.reason : null;
  };
  const work = async (): Promise<void> => {
    isWorking = true;
    while (isDue) {
      isDue = false;
      report(await endAll().catch(messageOf));
      await pause(pauseMs);
    }
    isWorking = false;
  };
  return {
    /** Call it after each commit that changed bans, and every few seconds. Returns at once and never throws. */
    look: (): void => {
      isDue = true;
      if (!isWorking) void work();
    },
  };
}
