import type { Engine } from "../engine.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports.ts";
import type { BanLog, History } from "../storage-ports.ts";

/** Ends expired bans through the same path as any event. Returns how many it ended. */
export async function expireBans(engine: Engine, banLog: BanLog, clock: Clock): Promise<number> {
  let ended = 0;
  for (;;) {
    const due = banLog.expired(clock.now(), LIMITS.expiriesPerTurn);
    const decided = await Promise.all(due.map((prefix) => engine.ask({ type: "BAN_EXPIRED", prefix })));
    const done = decided.filter(({ reason }) => reason === "expired").length;
    ended += done;
    // A short round was the last one. If a round ends nothing, the database cannot be written.
    if (due.length < LIMITS.expiriesPerTurn || done === 0) return ended;
  }
}

/** Ends expired entries of the allow list. There are few enough to check each. */
export async function expireAllowed(engine: Engine, history: Pick<History, "allowed">, clock: Clock): Promise<void> {
  const now = clock.now();
  const due = history.allowed().filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now);
  await Promise.all(due.map(({ prefix }) => engine.ask({ type: "ALLOW_EXPIRED", prefix })));
}
