import { existsSync } from "node:fs";
import type { AccountName } from "../../../core/net/address.ts";
import { instant, isoTime } from "../../../core/time.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { sinceText } from "../../legal-hold-text.ts";
import { oneLine } from "../../print/text.ts";
import { rootOnly } from "../upkeep/backup.ts";
import { accountFrom } from "./accounts.ts";

/** `account legal-hold` */
export async function accountLegalHold(call: CommandCall): Promise<CommandOutcome> {
  const refused = rootOnly("account legal-hold");
  if (refused !== null) return refused;
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const [, word, ...reason] = call.args;
  const running = await call.guard.ask<"ping">({ verb: "ping" });
  if (!running.ok) return running;
  const { legalHoldOf, liftLegalHold, setLegalHold } = await import("../../../daemon/keeper/schedules/legal-holds.ts");
  const path = call.layout.legalHolds;
  const held = legalHoldOf(path, name);
  if (word === undefined)
    return done(
      { name, legalHold: held },
      held === null ? `${name} is not under legal hold.` : `${name} is under legal hold ${sinceText(held)}.`,
    );
  if (word !== "on" && word !== "off") return wrongUsage(`"${oneLine(word)}" is neither on nor off.`, "");
  const isOn = word === "on";
  if (isOn && !(await hasMail(call, name)))
    return failed(
      `There is no account ${name}, and no mail of one.`,
      `\`${PROGRAM} account list\` shows the accounts.`,
    );
  // First what protects the mail: whatever becomes of the record.
  if (isOn) setLegalHold(path, { account: name, since: isoTime(instant(call.now())), reason: reason.join(" ") });
  const asked = await call.guard.ask<"legal_hold">({ verb: "legal_hold", name, isOn });
  if (!asked.ok)
    return failed(
      `${isOn ? `${name} is under legal hold, but that is not in the audit` : `${name} stays under legal hold`}: ${asked.message}`,
      asked.next,
    );
  if (!isOn) liftLegalHold(path, name);
  const text = isOn
    ? `${name} is under legal hold: no mail of it is removed by retention. Its owner can still delete mail; backups keep what was there.`
    : `${name} is no longer under legal hold.`;
  return done({ name, isOn }, text, `${PROGRAM} retention show`);
}

/** A misspelled name would protect nothing. Mail of a removed account can be held; and without the list of accounts, any name. */
async function hasMail(call: CommandCall, name: AccountName): Promise<boolean> {
  const { homeOf } = await import("../../../adapters/dovecot/redirects.ts");
  if (existsSync(homeOf(call.layout.mail, name))) return true;
  const opened = await call.reader();
  return !opened.ok || opened.reader.account(name) !== null;
}
