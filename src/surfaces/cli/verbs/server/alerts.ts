import { plural } from "../../../../core/text.ts";
import { dayAndTime } from "../../../../core/time.ts";
import { type Answer, type Call, done, failed, PROGRAM } from "../../call.ts";
import { andMore, emptyText, gather, pageFrom } from "../../listing.ts";
import { columns, oneLine } from "../../print/text.ts";

export async function alertsTest(call: Call): Promise<Answer> {
  const asked = await call.guard.ask({ verb: "alerts_test" });
  if (!asked.ok) return asked;
  const { results } = asked.result;
  const lines = results.map(
    ({ channel, ok, detail }) => `${channel}: ${ok ? "accepted" : `failed: ${oneLine(detail)}`}`,
  );
  const bad = results.filter(({ ok }) => !ok).length;
  if (bad === 0) return done(asked.result, lines.join("\n"), `${PROGRAM} alerts list`);
  return failed(
    `${bad} of ${plural(results.length, "channel")} failed.`,
    "Correct the settings alerts.* in ghostinbox.toml, then `config apply`.",
    { lines, json: asked.result },
  );
}

export async function alertsList(call: Call): Promise<Answer> {
  const page = pageFrom(call, "alerts");
  if ("ok" in page) return page;
  const asked = await gather(page, (one) => call.guard.ask({ verb: "alerts_list", ...one }));
  if (!asked.ok) return asked;
  const { channels, items: alerts, ...rest } = asked.result;
  const rows = alerts.map(({ severity, code, subject, openedAt, resolvedAt, detail }) => [
    severity,
    subject === "" ? code : `${code} (${subject})`,
    dayAndTime(openedAt),
    resolvedAt === null ? "open" : dayAndTime(resolvedAt),
    detail,
  ]);
  const more = andMore({ ...asked.result, shown: alerts.length }, page.cursor);
  const text = [
    alerts.length === 0
      ? emptyText("There has been no alert.", page)
      : columns([["SEVERITY", "ALERT", "SINCE", "UNTIL", "DETAIL"], ...rows]) + more,
    `They are sent through: ${channels.map(({ name }) => name).join(", ")}.`,
    ...channels.flatMap(({ name, failing }) => (failing === null ? [] : [`! ${name} fails: ${oneLine(failing)}`])),
  ].join("\n");
  return done({ channels, alerts, ...rest }, text, `${PROGRAM} alerts test`);
}
