import { plural } from "../../core/text.ts";
import type { Engine } from "../engine.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports.ts";
import type { BanLog } from "../storage-ports.ts";

export type BreakGlassParts = Readonly<{ engine: Engine; banLog: BanLog; clock: Clock }>;

/** `left` is above 0 only if the database cannot be written. */
export type GlassBroken = Readonly<{ lifted: number; left: number }>;

/** Lifts and forgives every ban, and lowers the guard of all accounts, for an owner who is locked out. */
export async function breakGlass({ engine, banLog, clock }: BreakGlassParts, by: string): Promise<GlassBroken> {
  const standing = [...banLog.active(clock.now())];
  let lifted = 0;
  for (let from = 0; from < standing.length; from += LIMITS.expiriesPerTurn) {
    const some = standing.slice(from, from + LIMITS.expiriesPerTurn);
    const decided = await Promise.all(some.map(({ prefix }) => engine.ask({ type: "UNBAN_ASKED", prefix, by })));
    lifted += decided.filter(({ reason }) => reason === "manual").length;
  }
  await engine.audit({ type: "BREAK_GLASS", subject: `${lifted} of ${plural(standing.length, "ban")} lifted`, by });
  return { lifted, left: [...banLog.active(clock.now())].length };
}
