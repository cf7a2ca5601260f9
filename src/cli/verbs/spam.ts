import { parseSenderPattern } from "../../core/events/sender-pattern.ts";
import { type Answer, type Call, done, PROGRAM, wrongUsage } from "../call.ts";
import { columns, dayAndTime, oneLine } from "../print/text.ts";
import { addressFrom } from "./accounts.ts";

export function spamAllowAdd(call: Call): Promise<Answer> {
  return change(call, "spam_allow_add");
}

export function spamAllowRemove(call: Call): Promise<Answer> {
  return change(call, "spam_allow_remove");
}

async function change(call: Call, verb: "spam_allow_add" | "spam_allow_remove"): Promise<Answer> {
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
      ? `Mail to ${account} that is proven to be from ${sender} is not spam from now on.`
      : `Mail to ${account} from ${sender} is scored like any other again.`;
  return done(asked.result, text, `${PROGRAM} spam allow list`);
}

export async function spamAllowList(call: Call): Promise<Answer> {
  const asked = await call.guard.ask<"spam_allow_list">({ verb: "spam_allow_list" });
  if (!asked.ok) return asked;
  const { senders } = asked.result;
  if (senders.length === 0)
    return done(asked.result, "No account lets a sender in.", `${PROGRAM} spam allow add ACCOUNT SENDER`);
  const rows = senders.map(({ account, sender, by, at }) => [account, sender, dayAndTime(at), by]);
  return done(asked.result, columns([["ACCOUNT", "SENDER", "SINCE", "BY"], ...rows]));
}
