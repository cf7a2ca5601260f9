import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { wouldReport } from "../../../../core/decide/jails.ts";
import type { Policy } from "../../../../core/decide/policy.ts";
import { messageOf } from "../../../../core/error.ts";
import { asSentence, plural } from "../../../../core/text.ts";
import { formatDuration } from "../../../../core/time.ts";
import { userIds } from "../../../../host/machine/system-users.ts";
import { CHECKOUT } from "../../../../host/running/checkout.ts";
import { serviceExists } from "../../../../host/running/supervised.ts";
import {
  adoptFilters,
  type Filter,
  filterSources,
  judgeFilter,
  type Refused,
  refusalOf,
  refusedFilters,
} from "../../../../mail/fail2ban/adopt-filters.ts";
import { jailsOf } from "../../../../mail/fail2ban/client.ts";
import { jailsOf as jailRulesOf, ownJailOf } from "../../../../settings/jails.ts";
import { USERS } from "../../../../settings/layout.ts";
import { type Answer, type Call, done, type Failure, failed, PROGRAM, whileRunning, wrongUsage } from "../../call.ts";
import { columns, joined, oneLine } from "../../print/text.ts";
import { withSettings } from "../../server-settings.ts";
import { notApplied } from "../settings/config-apply.ts";

export const fail2banStatus = withFail2ban(async (call, sentences) => {
  const asked = await jailsOf(call.layout, process.getuid?.() === 0 ? userIds(USERS.fail2ban) : {});
  if (!asked.ok)
    return failed(`Fail2ban does not answer: ${asked.reason}.`, `\`${PROGRAM} fail2ban restart\` restarts it.`);
  const { jails } = asked;
  const refused = refusedFilters(call.layout);
  const rows = jails.map(({ name, watched, found, reports }) => [name, ...[watched, found, reports].map(String)]);
  const table = columns([["JAIL", "WATCHED", "OFFENCES", "REPORTS"], ...rows]);
  const text = [table, ...refused.map(printRefused), SENTENCES[sentences]].join("\n");
  return done({ running: true, sentences, jails, refused }, text, `${PROGRAM} events --type JAIL_REPORTED`);
});

/** Loads new filters first, because each new file becomes a jail. */
export const fail2banRestart = withFail2ban(async (call) => {
  const { own, refused } = await adoptFilters(CHECKOUT, call.layout);
  const applied = await call.keeper.ask({ verb: "apply", inForce: true });
  if (!applied.ok) return notApplied(applied, "fail2ban restart");
  const restarted = await call.keeper.ask({ verb: "restart", service: "fail2ban" });
  if (!restarted.ok) return failed(asSentence(restarted.reason), `\`${PROGRAM} status\` shows more.`);
  const jails = own.length === 0 ? [] : [`Your own jails: ${own.join(", ")}.`];
  const text = ["Fail2ban was restarted.", ...jails, ...refused.map(printRefused)].join("\n");
  return done({ restarted: true, own, refused }, text, `${PROGRAM} fail2ban status`);
});

const SENTENCES: Readonly<Record<Policy["jailSentences"], string>> = {
  unjudged: 'A report leads to a ban only for what the guard did not already judge (fail2ban.sentences = "unjudged").',
  all: 'Each report leads to a ban by the limit of its jail (fail2ban.sentences = "all").',
};

/** A command for a server that runs with Fail2ban. */
function withFail2ban(run: (call: Call, sentences: Policy["jailSentences"]) => Promise<Answer>) {
  return withSettings((call, { settings }) =>
    whileRunning(async () =>
      serviceExists(call.layout.services, "fail2ban")
        ? run(call, settings["fail2ban.sentences"])
        : failed(
            "The server was started without Fail2ban.",
            `Run \`${PROGRAM} config set fail2ban.enabled true\`, then \`${PROGRAM} restart\`.`,
          ),
    )(call),
  );
}

function printRefused({ file, reason }: Refused): string {
  return `! ${oneLine(`${file} was refused: ${reason}.`)}`;
}

/** Only the end of a longer log is read. */
const MOST_LOG_BYTES = 8 * 1024 * 1024;
const MOST_SHOWN = 10;
const MOST_ADDRESSES = 50;

export const fail2banTest = withSettings(async (call, { settings }) => {
  const [named = "", log = ""] = call.args;
  const filter = filterNamed(named, call);
  if ("ok" in filter) return filter;
  const lines = logText(log);
  if (typeof lines !== "string") return lines;
  const tested = await judgeFilter(filter, { checkout: CHECKOUT });
  const refusal = refusalOf(tested);
  if (refusal !== null) return noJail(filter, refusal);
  const judged = await judgeFilter(filter, { checkout: CHECKOUT, log: lines, tricks: false });
  if (!judged.ok) return noJail(filter, judged.reason);

  const rule = jailRulesOf(settings).find(({ name }) => name === filter.name) ?? ownJailOf(settings);
  const blamed = wouldReport(judged.matches, rule);
  const shown = judged.matches.slice(0, MOST_SHOWN).map(({ ip, line }) => ({ ip, line }));
  const json = { filter: filter.name, lines: judged.lines, matched: judged.matches.length, shown, addresses: blamed };
  const limit = `${rule.limit} within ${formatDuration(rule.windowMs)}`;
  const more = judged.matches.length - shown.length;
  const rows = blamed
    .slice(0, MOST_ADDRESSES)
    .map(({ ip, offences, reported }) => [ip, String(offences), reported ? "banned" : "watched"]);
  const table = columns([["ADDRESS", "OFFENCES", "WOULD BE"], ...rows]);
  const others = blamed.length - MOST_ADDRESSES;
  const text = joined("\n", [
    `${filter.name} matches ${judged.matches.length} of ${plural(judged.lines, "line")}.`,
    ...shown.map(({ ip, line }) => `  ${ip}  ${oneLine(line)}`),
    more > 0 && `  … and ${more} more`,
    blamed.length > 0 && `\n${table}`,
    others > 0 && `… and ${others} more (--json)`,
    `\nIts jail reports every address with ${limit}; addresses that the guard never bans are still spared.`,
  ]);
  return done(json, text, `${PROGRAM} fail2ban restart`);
});

function noJail(filter: Filter, reason: string): Failure {
  return failed(`${filter.name} would not become a jail: ${oneLine(reason)}.`, "See docs/fail2ban.md.");
}

/** A file, or the name of a filter. */
function filterNamed(named: string, { layout }: Call): Filter | Failure {
  const directories = [...filterSources(CHECKOUT, layout).toReversed(), join(layout.fail2banConf, "filter.d")];
  const files = [resolve(named), ...directories.flatMap((dir) => [join(dir, named), join(dir, `${named}.conf`)])];
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
