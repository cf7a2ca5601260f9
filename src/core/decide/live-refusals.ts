import { isReason, type Reason, reasons } from "../events/reasons.ts";

/** Refused by milters, which the guard learns from their logs. */
const OF_CONTENT: readonly Reason[] = ["spam_refused", "dmarc_refused"];

/** What the guard has Postfix refuse: each is an event by the time that a log tells of it. */
export const LIVE_REFUSALS: readonly Reason[] = Object.keys(reasons).filter(
  (code): code is Reason => isReason(code) && reasons[code].smtp !== null && !OF_CONTENT.includes(code),
);
