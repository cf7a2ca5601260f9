import type { Engine } from "../engine.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports.ts";
import type { BanLog, History } from "../storage-ports.ts";

/** Ends the bans whose time is over, by the same path as any event. Returns how many it ended. */
export async function expireBans(engine: Engine, banLog: BanLog, clock: Clock): Promise<number> {
  let ended = 0;
  for (;;) {
    const due = banLog.expired(clock.now(), LIMITS.expiriesPerTurn);
    const decided = await Promise.all(due.map((prefix) => engine.ask({ type: "BAN_EXPIRED", prefix })));
    const done = decided.filter(({ reason }) => reason === "expired").length;
    ended += done;
    // A short round was the last one; a round in which nothing ended means that the database takes no writes.
    if (due.length < LIMITS.expiriesPerTurn || done === 0) return ended;
  }
}

/** Likewise the entries of the allow list; few enough to look at each. */
export async function expireAllowed(engine: Engine, history: Pick<History, "allowed">, clock: Clock): Promise<void> {
  const now = clock.now();
  const due = history.allowed().filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now);
  await Promise.all(due.map(({ prefix }) => engine.ask({ type: "ALLOW_EXPIRED", prefix })));
}
