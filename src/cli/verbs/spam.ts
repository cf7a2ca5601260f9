import { parseSenderPattern } from "../../core/events/sender-pattern.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../call.ts";
import { andMore, gather, pageFrom } from "../listing.ts";
import { columns, dayAndTime, oneLine } from "../print/text.ts";
import { addressFrom } from "./accounts.ts";

export function spamAllowAdd(call: CommandCall): Promise<CommandOutcome> {
  return change(call, "spam_allow_add");
}

export function spamAllowRemove(call: CommandCall): Promise<CommandOutcome> {
  return change(call, "spam_allow_remove");
}

async function change(call: CommandCall, verb: "spam_allow_add" | "spam_allow_remove"): Promise<CommandOutcome> {
  const account = addressFrom(call.args[0]);
  if (typeof account !== "string") return account;
  const sender = parseSenderPattern(call.args[1] ?? "");
  if (sender === null)
    return wrongUsage(
      `"${oneLine(call.args[1] ?? "")}" is no sender.`,
      "Write it as news@example.org or *@example.org.",
    );
  const asked = await call.guard.ask<"spam_allow_add" | "spam_allow_remove">({ verb, account, sender });
  if (!asked.ok) return asked;
  const text =
    verb === "spam_allow_add"
      ? `Mail to ${account} that is proven to be from ${sender} is no longer treated as spam.`
      : `Mail to ${account} from ${sender} is scored like any other again.`;
  return done(asked.result, text, `${PROGRAM} spam allow list`);
}

export async function spamAllowList(call: CommandCall): Promise<CommandOutcome> {
  const page = pageFrom(call, "senders");
  if ("ok" in page) return page;
  const asked = await gather(
    page,
    (one) => call.guard.ask<"spam_allow_list">({ verb: "spam_allow_list", ...one }),
    (a, b) => ({ ...b, senders: [...a.senders, ...b.senders] }),
  );
  if (!asked.ok) return asked;
  const { senders } = asked.result;
  if (senders.length === 0)
    return done(asked.result, "No account lets a sender in.", `${PROGRAM} spam allow add ACCOUNT SENDER`);
  const rows = senders.map(({ account, sender, by, at }) => [account, sender, dayAndTime(at), by]);
  const more = andMore({ ...asked.result, shown: senders.length }, page.cursor);
  return done(asked.result, columns([["ACCOUNT", "SENDER", "SINCE", "BY"], ...rows]) + more);
}

/** `spam update` */
export async function spamUpdate(call: CommandCall): Promise<CommandOutcome> {
  const running = await call.guard.ask<"ping">({ verb: "ping" });
  if (!running.ok) return running;
  const { fetchRules } = await import("../../daemon/keeper/spam-rules.ts");
  call.terminal.progress("Fetching rules ...");
  const fetched = await fetchRules(call.layout, call.now());
  if (!fetched.ok) return failed(`No new rules came into use: ${fetched.reason}`, "The former ones stay in use.");
  const { version, isNew } = fetched;
  const says = isNew
    ? `Version ${version} of the rules is in use.`
    : `Version ${version} of the rules is the newest, and in use.`;
  return done({ version, isNew }, says);
}
