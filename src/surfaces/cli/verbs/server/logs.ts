import { once } from "node:events";
import { type LogEntry, type LogQuery, matchesQuery } from "../../../../admin/declare/log-query.ts";
import { codeOf } from "../../../../core/error.ts";
import { isQueueId } from "../../../../core/events/queued-mail.ts";
import { instant, isoTime, type Millis, parseDuration, parseTime } from "../../../../core/time.ts";
import { latestLines } from "../../../../mail/logs/latest-lines.ts";
import { type ComponentLog, findLogs, type LogSnapshot, snapshotOf } from "../../../../mail/logs/log-files.ts";
import { LogFollower, WRITERS_CHANGE_OVER_MS } from "../../../../mail/logs/log-follower.ts";
import { timeOfLine } from "../../../../mail/logs/log-line.ts";
import { type Answer, type Call, done, type Failure, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { limitFrom } from "../../listing.ts";
import { jsonLine, oneLine } from "../../print/text.ts";
import { networkFrom } from "./bans.ts";

const DEFAULT_LIMIT = 200;

/** Reads the files directly, so it works while the server is down. */
export async function logs(call: Call): Promise<Answer> {
  const query = queryFrom(call);
  if ("ok" in query) return query;
  const limit = limitFrom(call.option("limit"), DEFAULT_LIMIT, "lines");
  if (typeof limit !== "number") return limit;
  const chosen = chosenLogs(call);
  if ("ok" in chosen) return chosen;
  const opened = chosen.map(snapshotOf);
  const damaged = (path: string, why: string): void => call.terminal.err(oneLine(`${path} is damaged: ${why}.`));
  const latest = await latestLines(opened, { query, limit, damaged });
  if (call.flag("follow")) return follow(call, { opened, query, latest });
  if (latest.length === 0) return done({ items: [] }, "No line matches.", `${PROGRAM} logs --follow  # waits for one`);
  return done({ items: latest.map(itemOf) }, latest.map(entryText).join("\n"));
}

type Found = Readonly<{ opened: readonly LogSnapshot[]; query: LogQuery; latest: readonly LogEntry[] }>;

/** Continues where the search ended, through rotations, until Ctrl-C. */
async function follow({ terminal, json, now }: Call, { opened, query, latest }: Found): Promise<Answer> {
  const { interrupted } = terminal;
  const print = (entry: LogEntry): void => terminal.out(json ? jsonLine(itemOf(entry)) : entryText(entry));
  latest.forEach(print);
  const followers = opened.map(
    ({ log: { component, current }, end }) =>
      new LogFollower({
        file: current,
        from: end,
        take: (lines) => {
          const at = now();
          for (const line of lines) {
            const entry = { component, at: timeOfLine(line, at) ?? at, line };
            if (matchesQuery(entry, query)) print(entry);
          }
          return Promise.resolve(true);
        },
        lingerMs: component === "mail" ? WRITERS_CHANGE_OVER_MS : 0,
        failed: (why) => terminal.err(oneLine(`The log of ${component} cannot be followed: ${why}.`)),
      }),
  );
  for (const follower of followers) follower.start();
  if (!interrupted.aborted) await once(interrupted, "abort");
  await Promise.all(followers.map((follower) => follower.stop()));
  return done(undefined, "");
}

function entryText({ component, line }: LogEntry): string {
  return oneLine(`${component.padEnd(8)}  ${line}`);
}

function itemOf({ component, at, line }: LogEntry) {
  return { at: isoTime(at), component, line };
}

function chosenLogs(call: Call): readonly ComponentLog[] | Failure {
  const { layout } = call;
  const wanted = call.option("component");
  try {
    const all = findLogs(layout.log);
    const chosen = all.filter(({ component }) => wanted === null || component === wanted);
    if (wanted === null || chosen.length > 0) return chosen;
    const names = all.map(({ component }) => component).join(", ");
    return wrongUsage(`No component is called "${oneLine(wanted)}".`, `There are ${names}.`);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return failed(`No logs exist below ${layout.log}.`, "`--data` names another directory.");
    if (code === "EACCES") return failed("The logs may be read by root only.", "Try again with sudo.");
    throw error;
  }
}

function queryFrom(call: Call): LogQuery | Failure {
  const since = sinceFrom(call, null);
  if (since !== null && typeof since !== "number") return since;
  const network = networkFrom(call);
  if (network !== null && typeof network !== "string") return network;
  const queueId = call.option("queue-id");
  if (queueId !== null && !isQueueId(queueId))
    return wrongUsage(`"${oneLine(queueId)}" is not a queue id.`, "It looks like 72CED1EABE5.");
  return { grep: call.option("grep"), since, network, queueId, account: call.option("account") };
}

/** Parses `--since`. */
export function sinceFrom<T>(call: Call, otherwise: T): Millis | T | Failure {
  const text = call.option("since");
  if (text === null) return otherwise;
  const age = parseDuration(text);
  if (age !== null) return instant(call.now() - age);
  // Also accepts our own format, `2026-11-20 08:00:00 UTC`, but no time without a zone, which could be local.
  const at = parseTime(text.replace(" ", "T").replace(/ ?UTC$/, "Z"));
  if (at !== null) return at;
  return wrongUsage(`"${oneLine(text)}" is not a time.`, "Write 30m, 2h, 7d or 2026-11-20T08:00:00Z.");
}
