import type { Decision } from "../core/decide/decision.ts";
import type { Event } from "../core/events/event.ts";

/** The engine as a server sees it: `answer` is called once, after the commit, and may be called at once. */
export type Submit = (event: Event, answer: (decision: Decision) => void) => void;
