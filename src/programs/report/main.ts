/** The regular report: a separate process, which the keeper starts as root with the period as its argument. */

import { failureOf, messageOf } from "../../core/error.ts";
import { reportOf } from "../../core/report/report.ts";
import { instant } from "../../core/time.ts";
import { settingsIn, settingsInForce } from "../../host/machine/settings-text.ts";
import { gatherFacts } from "../../jobs/report/gather.ts";
import { changeMailRecord, readMailRecord, withPeriod } from "../../jobs/report/records.ts";
import { type SentReport, sendReport } from "../../jobs/report/send.ts";
import { layoutFrom } from "../../settings/layout.ts";

const layout = layoutFrom(process.env);
const [period = "", at = ""] = process.argv.slice(2);
const now = instant(Number(at));
const sent = await makeReport().catch((error: unknown) => ({ ok: false, reason: messageOf(error) }) as const);
if (sent.ok) {
  const done = [...withPeriod(readMailRecord(layout), period)];
  const last = { at: now, to: [...sent.to] };
  // This is no failure, because the keeper would then send it again.
  const why = failureOf(() => changeMailRecord(layout, { done, last, failure: null }));
  console.log(`report: the report of ${period} is in the queue${why === null ? "" : `, but was not recorded: ${why}`}`);
} else {
  // The keeper takes the reason from here, and notes it.
  console.error(`report: ${sent.reason}`);
}
process.exit(sent.ok ? 0 : 1);

async function makeReport(): Promise<SentReport> {
  const loaded = settingsInForce(layout, process.env) ?? settingsIn(layout.settings, process.env);
  if (!loaded.ok) return loaded;
  const { settings } = loaded;
  const span = settings["report.mail"] === "monthly" ? "month" : "week";
  const mailedAt = readMailRecord(layout).last?.at;
  const gathered = await gatherFacts({ layout, settings, span, now, mailedAt });
  return gathered.ok ? sendReport(layout, settings, reportOf(gathered.facts), `report-${period}`) : gathered;
}
