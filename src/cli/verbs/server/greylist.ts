import { dayAndTime } from "../../../core/shown.ts";
import { instant } from "../../../core/time.ts";
import { waitingMails } from "../../../engine/explain/waiting-mails.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM } from "../../call.ts";
import { columns } from "../../print/text.ts";

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
