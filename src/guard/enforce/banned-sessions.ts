import { setTimeout as pause } from "node:timers/promises";
import { messageOf, reportOnce } from "../../core/error.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import type { Keeper } from "../admin-ports.ts";
import type { Log } from "../ports.ts";

type BannedSessionsParts = Readonly<{
  keeper: Keeper;
  isBanned: (client: Ip) => boolean;
  /** Each pass starts processes, so a burst of bans shares one. */
  pauseMs?: number;
  log: Log;
}>;

const PAUSE_MS = 250;

/**
 * Has Dovecot end the IMAP sessions of banned addresses if the firewall does not, because it is off or because clients come through a
 * proxy. Checks all open sessions instead of only new bans, so it also finds sessions that an earlier attempt could not end, or that opened
 * after the ban because Dovecot was still verifying the password. Open SMTP sessions end at their next question to the guard.
 */
export function createBannedSessions({ keeper, isBanned, pauseMs = PAUSE_MS, log }: BannedSessionsParts) {
  let isDue = false;
  let isWorking = false;
  const report = reportOnce((reason) =>
    log.warn("Sessions of banned addresses may stay open; the guard retries.", { reason }),
  );
  /** Returns the reason of a failure, or null. */
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
