import type { QueuedMail } from "../../wire/control/keeper.ts";
import type { Keeper } from "../admin-ports.ts";

/**
 * The keeper of a dry run: it is asked what is in the queue, and what it would be ordered is only noted, so that the command
 * finds the queue as its own orders would leave it. No session is ended.
 */
export function keeperOnPaper(keeper: Keeper): Keeper {
  const seen = new Map<string, QueuedMail>();
  const held = new Map<string, QueuedMail>();
  const gone = new Set<string>();
  return {
    ask: async (command) => {
      if (command.verb === "list_mail") return keeper.ask(command);
      if (command.verb === "find_mail") {
        const found = await keeper.ask(command);
        if (!found.ok) return found;
        for (const mail of found.mails ?? []) seen.set(mail.id, mail);
        const there = [...(found.mails ?? []), ...(command.onHold ? held.values() : [])];
        return { ...found, mails: there.filter(({ id }) => !gone.has(id) && (command.onHold || !held.has(id))) };
      }
      const ids = "ids" in command ? command.ids : [];
      for (const id of ids) {
        const mail = seen.get(id);
        if (command.verb !== "hold_mail") gone.add(id);
        else if (mail !== undefined) held.set(id, { ...mail, isHeld: true });
      }
      return { ok: true, detail: "", count: ids.length };
    },
  };
}
