import { instant, parseDuration } from "../../core/time.ts";
import { waitingMails } from "../../engine/explain/waiting-mails.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM, wrongUsage } from "../call.ts";
import { andMore, gather, pageFrom } from "../listing.ts";
import { columns, dayAndTime, oneLine, until } from "../print/text.ts";
import { addressFrom } from "./accounts.ts";

export async function greylistPause(call: CommandCall): Promise<CommandOutcome> {
  const target = addressFrom(call.args[0]);
  if (typeof target !== "string") return target;
  const lasts = call.option("for");
  if (lasts !== null && (parseDuration(lasts) ?? 0) === 0)
    return wrongUsage(`"${oneLine(lasts)}" is not a time.`, "Write it like 15m, 2h or 1d.");
  const asked = await call.guard.ask<"greylist_pause">({ verb: "greylist_pause", target, for: lasts });
  if (!asked.ok) return asked;
  const { pause } = asked.result;
  const text = `Mail of strangers to ${pause.target} comes in at once ${until(pause.until, call.now())}.`;
  return done(asked.result, text, `${PROGRAM} greylist list`);
}

export async function greylistResume(call: CommandCall): Promise<CommandOutcome> {
  const target = addressFrom(call.args[0]);
  if (typeof target !== "string") return target;
  const asked = await call.guard.ask<"greylist_resume">({ verb: "greylist_resume", target });
  if (!asked.ok) return asked;
  return done(asked.result, `Mail of strangers to ${target} is greylisted again.`, `${PROGRAM} greylist list`);
}

export async function greylistList(call: CommandCall): Promise<CommandOutcome> {
  const page = pageFrom(call, "pauses");
  if ("ok" in page) return page;
  const asked = await gather(
    page,
    (one) => call.guard.ask<"greylist_list">({ verb: "greylist_list", ...one }),
    (a, b) => ({ ...b, pauses: [...a.pauses, ...b.pauses] }),
  );
  if (!asked.ok) return asked;
  const { pauses } = asked.result;
  if (pauses.length === 0)
    return done(asked.result, "Greylisting is paused for nobody.", `${PROGRAM} greylist pause ADDRESS --for 15m`);
  const rows = pauses.map((pause) => [pause.target, dayAndTime(pause.until), pause.by]);
  const more = andMore({ ...asked.result, shown: pauses.length }, page.cursor);
  return done(asked.result, columns([["RECIPIENT", "UNTIL", "BY"], ...rows]) + more);
}

/** What greylisting has deferred within six hours and has not come since. */
export async function greylistWaiting(call: CommandCall): Promise<CommandOutcome> {
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const waiting = waitingMails(opened.reader.queries, instant(call.now()));
  if (waiting.items.length === 0) return done(waiting, "No deferred mail waits for a retry.");
  const rows = waiting.items.map(({ recipient, sender, ip, since, tries }) => [
    recipient,
    sender === "" ? "<>" : sender,
    ip ?? "-",
    dayAndTime(since),
    String(tries),
  ]);
  const text = columns([["TO", "FROM", "CLIENT", "SINCE", "TRIES"], ...rows]);
  const [first] = waiting.items;
  return done(
    waiting,
    text,
    `${PROGRAM} greylist pause ${first?.recipient ?? "ADDRESS"}  # the next try comes in at once`,
  );
}
