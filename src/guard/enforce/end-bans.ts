import { plural } from "../../core/text.ts";
import { isOver } from "../../core/time.ts";
import type { Engine } from "../engine.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports.ts";
import type { AllowList, BanLog } from "../storage-ports.ts";

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
export async function expireAllowed(engine: Engine, allowList: AllowList, clock: Clock) {
  const now = clock.now();
  const due = allowList.allowEntries().filter(({ expiresAt }) => isOver(expiresAt, now));
  await Promise.all(due.map(({ prefix }) => engine.ask({ type: "ALLOW_EXPIRED", prefix })));
}

type BreakGlassParts = Readonly<{ engine: Engine; banLog: BanLog; clock: Clock }>;

/** `isDone`: false if the database cannot be written. Guesses are not forgotten then, even if no ban is left. */
type BreakGlassResult = Readonly<{ lifted: number; left: number; isDone: boolean }>;

/** Lifts and forgives every ban, and forgets the guesses at all accounts, for an owner who is locked out. */
export async function breakGlass({ engine, banLog, clock }: BreakGlassParts, by: string): Promise<BreakGlassResult> {
  const inForce = [...banLog.active(clock.now())];
  let lifted = 0;
  for (let from = 0; from < inForce.length; from += LIMITS.expiriesPerTurn) {
    const some = inForce.slice(from, from + LIMITS.expiriesPerTurn);
    const decided = await Promise.all(some.map(({ prefix }) => engine.ask({ type: "UNBAN_ASKED", prefix, by })));
    lifted += decided.filter(({ reason }) => reason === "manual").length;
  }
  const subject = `${lifted} of ${plural(inForce.length, "ban")} lifted`;
  const isStored = await engine.audit({ type: "BREAK_GLASS", subject, by });
  // Bans that started during the loop stay.
  const old = new Set(inForce.map(({ prefix }) => prefix));
  const left = [...banLog.active(clock.now())].filter(({ prefix }) => old.has(prefix)).length;
  return { lifted, left, isDone: isStored && left === 0 };
}
