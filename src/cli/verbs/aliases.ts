import type { Address } from "../../core/net/address.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, PROGRAM, wrongUsage } from "../call.ts";
import { andMore, pageFrom } from "../listing.ts";
import { columns } from "../print/text.ts";
import { addressFrom } from "./accounts.ts";

export async function aliasAdd(call: CommandCall): Promise<CommandOutcome> {
  const typed = call.args[0] ?? "";
  if (/^\*?@/.test(typed.trim()))
    return wrongUsage(
      "An alias for every name of a domain is not offered: it would take the mail to each name that a spammer tries.",
      `Add an alias for each name you give away. Mail to anna+shop@ reaches anna@ without one.`,
    );
  const address = addressFrom(typed);
  if (typeof address !== "string") return address;
  const targets = targetsFrom(call.args[1] ?? "");
  if ("ok" in targets) return targets;
  const asked = await call.guard.ask<"alias_add">({ verb: "alias_add", address, targets });
  if (!asked.ok) return asked;
  return done(asked.result, `Mail for ${address} goes to ${targets.join(", ")}.`, `${PROGRAM} alias list`);
}

export async function aliasRemove(call: CommandCall): Promise<CommandOutcome> {
  const address = addressFrom(call.args[0]);
  if (typeof address !== "string") return address;
  const asked = await call.guard.ask<"alias_remove">({ verb: "alias_remove", address });
  if (!asked.ok) return asked;
  return done(asked.result, `${address} is no longer an alias.`, `${PROGRAM} alias list`);
}

export function aliasBlock(call: CommandCall): Promise<CommandOutcome> {
  return setBlocked(call, true);
}

export function aliasUnblock(call: CommandCall): Promise<CommandOutcome> {
  return setBlocked(call, false);
}

async function setBlocked(call: CommandCall, blocked: boolean): Promise<CommandOutcome> {
  const address = addressFrom(call.args[0]);
  if (typeof address !== "string") return address;
  const asked = await call.guard.ask<"alias_block">({ verb: "alias_block", address, blocked });
  if (!asked.ok) return asked;
  const text = blocked ? `Mail for ${address} is refused from now on.` : `${address} takes mail again.`;
  return done(asked.result, text, `${PROGRAM} alias ${blocked ? `unblock ${address}` : "list"}`);
}

export async function aliasList(call: CommandCall): Promise<CommandOutcome> {
  const page = pageFrom(call, "aliases");
  if ("ok" in page) return page;
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const listed = opened.reader.aliases(page);
  const { items } = listed;
  if (items.length === 0)
    return done(listed, "There is no alias yet.", `${PROGRAM} alias add info@example.org anna@example.org`);
  const rows = items.map((item) => [item.address, item.blocked ? "blocked" : "active", item.targets.join(", ")]);
  const more = andMore({ ...listed, shown: items.length }, page.cursor);
  return done(listed, columns([["ALIAS", "STATE", "GOES TO"], ...rows]) + more);
}

function targetsFrom(text: string): readonly Address[] | CommandFailure {
  const targets: Address[] = [];
  for (const word of text.split(/[\s,]+/).filter((each) => each !== "")) {
    const address = addressFrom(word);
    if (typeof address !== "string") return address;
    targets.push(address);
  }
  return targets;
}
