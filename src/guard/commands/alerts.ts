import type { Reply } from "../../admin/declare/control.ts";
import { descending, pageByKey } from "../../admin/declare/paging.ts";
import type { AlertItem } from "../../admin/server.ts";
import { alertText, nextSteps } from "../../core/alerts/alerts.ts";
import { isoTime, isoTimeOrNull, SECOND_MS } from "../../core/time.ts";
import type { Alerts } from "../alerts/alerts.ts";
import type { Alert } from "../alerts/ports.ts";
import type { RunsOf } from "./run-of.ts";
import type { OfCaller } from "./web/command-gate.ts";

type AlertCommandParts = Readonly<{ alerts: Pick<Alerts, "test" | "book" | "channels" | "leadOut"> }>;

/** Less than the 10 s that the web waits for the guard. The command line waits longer than any channel can take. */
const WEB_WAITS_MS = 8 * SECOND_MS;

export const ALERT_RUNS = {
  alerts_test: (parts, _, __, { caller }) => alertsTest(parts, caller !== null),
  /** Open alerts first, then resolved ones; newest first in each group. */
  alerts_list: ({ alerts }, asked) => {
    const channels = [...alerts.channels].map(([name, failing]) => ({ name, failing }));
    const { items, ...page } = pageByKey([...alerts.book.open, ...alerts.book.resolved], asked, keyInList);
    return { ok: true, result: { channels, leadOut: alerts.leadOut, items: items.map(item), ...page } };
  },
} satisfies RunsOf<AlertCommandParts, OfCaller>;

export async function alertsTest({ alerts }: AlertCommandParts, isWeb: boolean): Promise<Reply<"alerts_test">> {
  const results = await alerts.test(isWeb ? WEB_WAITS_MS : undefined);
  const shown = results.map(({ channel, outcome }) => {
    return { channel, ok: outcome.ok, detail: outcome.ok ? "" : outcome.reason };
  });
  return { ok: true, result: { results: shown } };
}

function keyInList({ code, subject, openedAt, resolvedAt }: Alert): string {
  const state = resolvedAt === null ? "open" : "over";
  return `${state}/${descending(resolvedAt ?? openedAt)}/${code}/${subject}`;
}

function item({ code, subject, detail, openedAt, resolvedAt }: Alert): AlertItem {
  const text = alertText(code);
  const { severity, says } = text;
  const next = nextSteps(text, subject);
  const until = isoTimeOrNull(resolvedAt);
  return { code, subject, severity, says, detail, next, openedAt: isoTime(openedAt), resolvedAt: until };
}
