import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type Blamed, wouldReport } from "../../../../core/decide/jails.ts";
import { messageOf } from "../../../../core/error.ts";
import { plural } from "../../../../core/text.ts";
import { formatDuration } from "../../../../core/time.ts";
import { CHECKOUT } from "../../../../host/running/checkout.ts";
import type { Filter } from "../../../../mail/fail2ban/adopt-filters.ts";
import { filterSources, judgeFilter, refusalOf } from "../../../../mail/fail2ban/adopt-filters.ts";
import { jailsOf, ownJailOf } from "../../../../settings/jails.ts";
import { type Call, done, type Failure, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { columns, oneLine } from "../../print/text.ts";
import { withSettings } from "../../server-settings.ts";

/** Only the end of a longer log is read. */
const MOST_LOG_BYTES = 8 * 1024 * 1024;
const MOST_SHOWN = 10;

export const fail2banTest = withSettings(async (call, { settings }) => {
  const [named = "", log = ""] = call.args;
  const filter = filterNamed(named, call);
  if ("ok" in filter) return filter;
  const lines = logText(log);
  if (typeof lines !== "string") return lines;
  const tested = await judgeFilter(filter, { checkout: CHECKOUT });
  const refusal = refusalOf(tested);
  if (refusal !== null) return refused(filter, refusal);
  const judged = await judgeFilter(filter, { checkout: CHECKOUT, log: lines, tricks: false });
  if (!judged.ok) return refused(filter, judged.reason);

  const rule = jailsOf(settings).find(({ name }) => name === filter.name) ?? ownJailOf(settings);
  const blamed = wouldReport(judged.matches, rule);
  const shown = judged.matches.slice(0, MOST_SHOWN).map(({ ip, line }) => ({ ip, line }));
  const json = { filter: filter.name, lines: judged.lines, matched: judged.matches.length, shown, addresses: blamed };
  const limit = `${rule.limit} within ${formatDuration(rule.windowMs)}`;
  const text = [
    `${filter.name} matches ${judged.matches.length} of ${plural(judged.lines, "line")}.`,
    ...shown.map(({ ip, line }) => `  ${ip}  ${oneLine(line)}`),
    ...(judged.matches.length > shown.length ? [`  … and ${judged.matches.length - shown.length} more`] : []),
    ...(blamed.length === 0
      ? []
      : ["", columns([["ADDRESS", "OFFENCES", "WOULD BE"], ...blamed.slice(0, 50).map(cells)])]),
    "",
    `Its jail reports every address with ${limit}; addresses that the guard never bans are still spared.`,
  ].join("\n");
  return done(json, text, `${PROGRAM} fail2ban restart`);
});

function cells({ ip, offences, reported }: Blamed): readonly string[] {
  return [ip, String(offences), reported ? "banned" : "watched"];
}

function refused(filter: Filter, reason: string): Failure {
  return failed(`${filter.name} would not become a jail: ${oneLine(reason)}.`, "See docs/fail2ban.md.");
}

/** A file, or the name of a filter. */
function filterNamed(named: string, { layout }: Call): Filter | Failure {
  const places = [...filterSources(CHECKOUT, layout).toReversed(), join(layout.fail2banConf, "filter.d")];
  const files = [resolve(named), ...places.flatMap((place) => [join(place, named), join(place, `${named}.conf`)])];
  const file = files.find((path) => existsSync(path) && statSync(path).isFile());
  if (file === undefined || named === "")
    return wrongUsage(`The filter "${oneLine(named)}" does not exist.`, "Name a file, or one of security/filter.d.");
  return { name: basename(file).replace(/\.conf$/, ""), text: readFileSync(file, "utf8") };
}

function logText(file: string): string | Failure {
  try {
    return readFileSync(file).subarray(-MOST_LOG_BYTES).toString("utf8");
  } catch (error) {
    const why = messageOf(error);
    return wrongUsage(`The log ${oneLine(file)} cannot be read: ${oneLine(why)}.`, "Name a file of log lines.");
  }
}
