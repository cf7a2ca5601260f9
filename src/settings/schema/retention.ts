import { listOf } from "../kinds/lists.ts";
import { wholeNumber } from "../kinds/plain.ts";
import { keepRule } from "../kinds/texts.ts";
import type { Setting } from "../setting.ts";

/** How long mail is kept. `events.max_age` and `logs.keep` say so for what is recorded about it. */
export const retention = {
  "retention.mail": {
    kind: listOf(keepRule, 1_000),
    byDefault: ["Junk 30d", "Trash 30d"],
    says: "How long mail stays in a folder, counted from when it came into it: `FOLDER TIME`, or `ADDRESS FOLDER TIME` for one account. `*` is every folder, `forever` no end. A folder includes those below it. A folder without a rule keeps its mail.",
    source: "doveadm-search-query(7), savedbefore",
  },
  "retention.hour": {
    kind: wholeNumber(0, 23),
    byDefault: 2,
    says: "Hour of the day in which mail that was kept long enough is removed, in the machine's time zone.",
  },
} as const satisfies Record<string, Setting<unknown>>;
