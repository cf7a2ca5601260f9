import { shown } from "../../../core/shown.ts";
import type { Forwarding } from "../../../engine/mailbox-ports.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { accountFrom, addressFrom } from "./accounts.ts";

/** `account forward ADDRESS [TO...]`: without a target, shows it. */
export async function accountForward(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const words = call.args.slice(1);
  const [isOff, keeps, keepsNone] = [call.flag("off"), call.flag("keep"), call.flag("no-keep")];
  if ((keeps && keepsNone) || (isOff && (words.length > 0 || keeps || keepsNone)))
    return wrongUsage("Give one of --keep, --no-keep and --off.", `${PROGRAM} help account forward`);
  if (words.length === 0 && !isOff)
    return keeps || keepsNone ? wrongUsage("There is no address to send mail on to.", "") : show(call, name);
  const to: string[] = [];
  for (const word of words) {
    const address = addressFrom(word);
    if (typeof address !== "string") return address;
    to.push(address);
  }
  const asked = await call.guard.ask<"forward_set">({ verb: "forward_set", name, to, keep: !keepsNone });
  if (!asked.ok) return asked;
  return done(asked.result, sentence(name, to.length === 0 ? null : { to, keep: !keepsNone }));
}

async function show(call: CommandCall, name: string): Promise<CommandOutcome> {
  const account = accountFrom(name);
  if (typeof account !== "string") return account;
  const opened = await call.reader();
  if (!opened.ok) return opened;
  if (opened.reader.account(account) === null)
    return failed(`There is no account ${name}.`, `\`${PROGRAM} account list\` shows them.`);
  const forwarding = opened.reader.forwarding(name);
  return done({ name, forwarding }, sentence(name, forwarding));
}

function sentence(name: string, forwarding: Forwarding | null): string {
  if (forwarding === null) return `Mail for ${name} stays in its mailbox.`;
  const copy = forwarding.keep ? "and a copy stays in its mailbox" : "and none stays in its mailbox";
  return `Mail for ${name} is sent on to ${forwarding.to.map(shown).join(", ")}, ${copy}.`;
}
