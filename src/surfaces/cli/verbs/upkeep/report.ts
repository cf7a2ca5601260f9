import { reportHtml, reportText } from "../../../../core/report/print.ts";
import { reportOf } from "../../../../core/report/report.ts";
import { gatherFacts } from "../../../../jobs/report/gather.ts";
import { sendReport } from "../../../../jobs/report/send.ts";
import { UnusableDatabase } from "../../../../store/open.ts";
import { type Answer, type Call, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { settingsOf } from "../../server-settings.ts";

export async function report(call: Call): Promise<Answer> {
  if (call.flag("week") && call.flag("month"))
    return wrongUsage("Use either --week or --month.", `See \`${PROGRAM} help report\`.`);
  if (call.flag("html") && (call.json || call.flag("mail")))
    return wrongUsage("--html prints a page, and nothing else.", `See \`${PROGRAM} help report\`.`);
  const read = settingsOf(call);
  if (!read.ok) return read;
  const running = await call.guard.ask({ verb: "ping" });
  if (!running.ok) return running;
  const { layout } = call;
  const { settings } = read;
  const now = call.now();
  const span = call.flag("month") ? "month" : "week";
  try {
    const gathered = await gatherFacts({ layout, settings, span, now });
    if (!gathered.ok) return failed(gathered.reason, `\`${PROGRAM} status\` shows more.`);
    const { facts } = gathered;
    const made = reportOf(facts);
    const json = { ...facts, todo: made.todo };
    if (call.flag("html")) {
      call.terminal.out(reportHtml(made).trimEnd());
      return done(undefined, "");
    }
    if (!call.flag("mail")) return done(json, reportText(made).trimEnd());
    const sent = await sendReport(layout, settings, made, `report-${now}`);
    if (!sent.ok)
      return failed(`The report could not be mailed: ${sent.reason}`, `\`${PROGRAM} queue list\` shows what waits.`);
    return done({ ...json, mailedTo: sent.to }, `The report was mailed to ${sent.to.join(", ")}.`);
  } catch (error) {
    if (error instanceof UnusableDatabase) return failed(error.message, `\`${PROGRAM} status\` shows more.`);
    throw error;
  }
}
