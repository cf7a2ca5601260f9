import type { Decision } from "../core/decide/decision.ts";
import type { Event } from "../core/events/event.ts";

/** The engine as a server sees it: `answer` is called once, and may be called at once (docs/adr/0012). */
export type Submit = (event: Event, answer: (decision: Decision) => void) => void;
