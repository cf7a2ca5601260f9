import { instant } from "../../core/time.ts";
import type { Clock } from "../../engine/ports.ts";

/** The machine's wall clock. */
export const systemClock: Clock = { now: () => instant(Date.now()) };
