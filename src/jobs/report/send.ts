import { reportHtml, reportText } from "../../core/report/print.ts";
import type { Report } from "../../core/report/report.ts";
import { queueMail } from "../../mail/notifiers/alert-mails.ts";
import { alertMailTo, alertSender, postmaster } from "../../mail/notifiers/channels.ts";
import { reportMail } from "../../mail/notifiers/mail-text.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";

export type SentReport = Readonly<{ ok: true; to: readonly string[] }> | Readonly<{ ok: false; reason: string }>;

/** Queues the report for those who get alerts by mail. `id`: the same for the same report. */
export async function sendReport(layout: Layout, settings: Settings, report: Report, id: string): Promise<SentReport> {
  const to = reportTo(settings);
  const from = alertSender(settings);
  const { title, host, to: at } = report;
  const parts = { title: `${title} of ${host}`, text: reportText(report), html: reportHtml(report) };
  const input = reportMail({ id, host, from, to, at: Date.parse(at), ...parts });
  const queued = await queueMail(layout, { from, to, input });
  return queued.ok ? { ok: true, to } : queued;
}

/** Returns the mailboxes that get alerts; without any, the addresses that get them through another server; otherwise the administrator. */
function reportTo(settings: Settings): readonly string[] {
  const own = alertMailTo(settings);
  if (own.length > 0) return own;
  const elsewhere = settings["alerts.relay_to"];
  return elsewhere.length > 0 ? elsewhere : [postmaster(settings)];
}
