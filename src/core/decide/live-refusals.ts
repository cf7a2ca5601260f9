import { isReason, type Reason, reasons } from "../events/reasons.ts";

/** Refused by milters; the guard learns of it from their logs. */
const OF_CONTENT: readonly Reason[] = ["spam_refused", "dmarc_refused", "author_unclear", "author_not_own"];

/** Refusals by the guard: each is an event before a log reports it. */
export const LIVE_REFUSALS: readonly Reason[] = Object.keys(reasons).filter(
  (code): code is Reason => isReason(code) && reasons[code].smtp !== null && !OF_CONTENT.includes(code),
);
