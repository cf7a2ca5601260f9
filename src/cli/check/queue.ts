import { span } from "../../core/shown.ts";
import { plural } from "../../core/text.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { ListedMail } from "../../wire/control/keeper.ts";
import { PROGRAM } from "../call.ts";
import { type Finding, ok, unknown, warning } from "./finding.ts";
import type { Check } from "./server.ts";

/** Longer than any greylisting; also reports a server that is away for a night. */
const OLD_MS = 6 * HOUR_MS;
const MANY = 500;

/** The oldest mail comes first. Mail on hold waits for a command, not for delivery. */
export function judgeAge(oldest: Pick<ListedMail, "id" | "at"> | undefined, now: number): Finding {
  if (oldest === undefined) return ok("No mail is waiting for delivery.");
  const age = now - oldest.at;
  const saw = `The oldest mail waiting for delivery is ${oldest.id}, ${span(age)} old.`;
  return age > OLD_MS ? warning(saw, `${PROGRAM} queue list  # says why each mail waits`) : ok(saw);
}

export function judgeLength(total: number): Finding {
  const saw = `${plural(total, "mail")} in the queue.`;
  return total > MANY ? warning(saw, `${PROGRAM} queue list`) : ok(saw);
}

export function judgeHold(total: number): Finding {
  if (total === 0) return ok("No mail is on hold.");
  return warning(`${plural(total, "mail")} on hold until someone releases or deletes them.`, `${PROGRAM} queue list`);
}

const ALL = { verb: "list_mail", ids: [], senders: [], recipient: null } as const;

export const queue = [
  {
    name: "age",
    does: "Measures how long the oldest mail has waited for delivery.",
    look: async ({ keeper, now }) => {
      const asked = await keeper.ask({ ...ALL, where: "loose", after: null, limit: 1 });
      return asked.ok ? judgeAge(asked.queue?.[0], now) : unknown(asked.reason, `${PROGRAM} status`);
    },
  },
  {
    name: "hold",
    does: "Counts the mails on hold, which wait for a command.",
    look: async ({ keeper }) => {
      const asked = await keeper.ask({ ...ALL, where: "hold", after: null, limit: 1 });
      return asked.ok ? judgeHold(asked.total ?? 0) : unknown(asked.reason, `${PROGRAM} status`);
    },
  },
  {
    name: "length",
    does: "Counts the mails in the queue.",
    look: async ({ keeper }) => {
      const asked = await keeper.ask({ ...ALL, where: "anywhere", after: null, limit: 1 });
      return asked.ok ? judgeLength(asked.total ?? 0) : unknown(asked.reason, `${PROGRAM} status`);
    },
  },
] as const satisfies readonly Check[];
