import { oneOf, wholeNumber } from "../kinds/plain.ts";
import type { Setting } from "../setting.ts";

/** When the owner gets a report by mail. */
export const report = {
  "report.mail": {
    kind: oneOf("weekly", "monthly", "off"),
    byDefault: "weekly",
    says: "How often a report is mailed to those who get alerts: on Mondays, on the first day of each month, or never.",
  },
  "report.hour": {
    kind: wholeNumber(0, 23),
    byDefault: 7,
    says: "Hour of the day from which a report is mailed, in the machine's time zone.",
  },
} as const satisfies Record<string, Setting<unknown>>;
