import type { AlertLanguage } from "../../core/alerts/frames.ts";
import type { Keeper } from "../../engine/admin-ports.ts";
import type { AlertMessage } from "../../engine/alerts/ports.ts";
import { bodyWithin } from "../../engine/alerts/words.ts";
import type { Outcome } from "../../engine/ports.ts";
import { ALERT_BODY } from "../../wire/control/keeper.ts";

/**
 * Sends through our own Postfix by way of the keeper. Postfix has no port for it, because any local program could write
 * to a loopback port or keep it busy.
 */
export function ownQueue(keeper: Keeper, language: AlertLanguage): (message: AlertMessage) => Promise<Outcome> {
  return async (message) => {
    const { id, kind, at, severity } = message;
    const title = message.title.toWellFormed();
    const body = bodyWithin(message, ALERT_BODY, language).toWellFormed();
    const reply = await keeper.ask({ verb: "mail_alert", id, kind, at, severity, title, body });
    return reply.ok ? { ok: true } : { ok: false, reason: reply.reason };
  };
}
