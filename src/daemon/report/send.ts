import { alertMailTo, postmaster } from "../../adapters/notifiers/alert-mail-to.ts";
import { alertSender } from "../../adapters/notifiers/channels.ts";
import { reportMail } from "../../adapters/notifiers/report-mail.ts";
import type { Report } from "../../core/report/document.ts";
import { reportHtml } from "../../core/report/print-html.ts";
import { reportText } from "../../core/report/print-text.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { queueMail } from "../keeper/alert-mails.ts";

export type SentReport = Readonly<{ ok: true; to: readonly string[] }> | Readonly<{ ok: false; reason: string }>;

/** Queues the report for those who get alerts by mail. `id`: the same for the same report. */
export async function sendReport(layout: Layout, settings: Settings, report: Report, id: string): Promise<SentReport> {
  const to = reportTo(settings);
  const from = alertSender(settings);
  const { title, host, to: at } = report;
  const input = reportMail({
    id,
    host,
    from,
    to,
    at: Date.parse(at),
    title: `${title} of ${host}`,
    text: reportText(report),
    html: reportHtml(report),
  });
  const queued = await queueMail(layout, { from, to, input });
  return queued.ok ? { ok: true, to } : queued;
}

/** The mailboxes of alerts; without any, those for which a different server gets alerts; otherwise the administrator. */
function reportTo(settings: Settings): readonly string[] {
  const own = alertMailTo(settings);
  if (own.length > 0) return own;
  const elsewhere = settings["alerts.relay_to"];
  return elsewhere.length > 0 ? elsewhere : [postmaster(settings)];
}
