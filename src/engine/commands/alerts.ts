import { alertText } from "../../core/alerts/alerts.ts";
import { isoTime } from "../../core/time.ts";
import type { Reply } from "../../wire/control/control.ts";
import type { AlertItem } from "../../wire/control/items.ts";
import type { Alerts } from "../alerts/alerts.ts";
import type { Alert } from "../alerts/ports.ts";

export type AlertCommandParts = Readonly<{ alerts: Pick<Alerts, "test" | "book" | "channels"> }>;

export async function alertsTest({ alerts }: AlertCommandParts): Promise<Reply<"alerts_test">> {
  const results = await alerts.test();
  const shown = results.map(({ channel, outcome }) => ({
    channel,
    ok: outcome.ok,
    detail: outcome.ok ? "" : outcome.reason,
  }));
  return { ok: true, result: { results: shown } };
}

/** The open ones first, each kind with the newest first. */
export function alertsList({ alerts }: AlertCommandParts): Reply<"alerts_list"> {
  const channels = [...alerts.channels].map(([name, failing]) => ({ name, failing }));
  const items = [...alerts.book.open.toReversed(), ...alerts.book.resolved].map(item);
  return { ok: true, result: { channels, alerts: items } };
}

function item({ code, subject, detail, openedAt, resolvedAt }: Alert): AlertItem {
  const { severity, says } = alertText(code);
  const until = resolvedAt === null ? null : isoTime(resolvedAt);
  return { code, subject, severity, says, detail, openedAt: isoTime(openedAt), resolvedAt: until };
}
