import type { AccountName } from "../../../core/net/address.ts";
import { plural } from "../../../core/text.ts";
import { formatSize, parseSize } from "../../../settings/size.ts";
import type { MailboxUse } from "../../../wire/dovecot/mailbox-use.ts";
import {
  type CommandCall,
  type CommandFailure,
  type CommandOutcome,
  done,
  failed,
  PROGRAM,
  wrongUsage,
} from "../../call.ts";
import { oneLine } from "../../print/text.ts";
import { settingsOf } from "../settings/server-settings.ts";
import { accountFrom } from "./accounts.ts";

/** `account quota ADDRESS [SIZE|none|default]`: without a size, shows it. */
export async function accountQuota(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const [, size] = call.args;
  const quotaBytes = size === undefined ? undefined : quotaFrom(size);
  if (typeof quotaBytes === "object" && quotaBytes !== null) return quotaBytes;
  return quotaBytes === undefined ? show(call, name) : set(call, name, quotaBytes);
}

async function set(call: CommandCall, name: AccountName, quotaBytes: number | null): Promise<CommandOutcome> {
  const asked = await call.guard.ask<"quota_set">({ verb: "quota_set", name, quotaBytes });
  if (!asked.ok) return asked;
  const text = `The quota of ${name} is ${quotaText(call, quotaBytes)} now.`;
  return done(asked.result, text, `${PROGRAM} queue flush --recipient ${name}  # if mail waits for room`);
}

async function show(call: CommandCall, name: AccountName): Promise<CommandOutcome> {
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const account = opened.reader.account(name);
  if (account === null) return failed(`There is no account ${name}.`, `\`${PROGRAM} account list\` shows them.`);
  const use = await mailboxUse(call, name);
  const { quotaBytes } = account;
  const limit = quotaText(call, quotaBytes);
  const text =
    use === null
      ? `The quota of ${name} is ${limit}; how much it uses is not known.`
      : `${name} uses ${usedText(use)}; its quota is ${limit}.`;
  return done({ name, quotaBytes, use }, text);
}

/** Null while the keeper or Dovecot does not answer. */
export async function mailboxUse(call: CommandCall, name: AccountName): Promise<MailboxUse | null> {
  const reply = await call.keeper.ask({ verb: "mailbox_use", account: name });
  return reply.ok ? (reply.mailbox ?? null) : null;
}

export function usedText({ usedBytes, mails }: MailboxUse): string {
  const [unit, unitBytes] = usedBytes >= 1024 ** 3 ? (["GB", 1024 ** 3] as const) : (["MB", 1024 ** 2] as const);
  return `${(usedBytes / unitBytes).toFixed(1)} ${unit} for ${plural(mails, "mail")}`;
}

/** With the value of the settings, where it is known. */
export function quotaText(call: CommandCall, quotaBytes: number | null): string {
  if (quotaBytes !== null) return sizeText(quotaBytes);
  const loaded = settingsOf(call);
  return loaded.ok ? `${sizeText(loaded.settings["mailboxes.quota"])} (mailboxes.quota)` : "that of mailboxes.quota";
}

function sizeText(quotaBytes: number): string {
  return quotaBytes === 0 ? "no limit" : formatSize(quotaBytes);
}

function quotaFrom(text: string): number | null | CommandFailure {
  if (text === "default") return null;
  if (text === "none") return 0;
  return parseSize(text) ?? wrongUsage(`"${oneLine(text)}" is not a size.`, "Write 500MB or 10GB, none or default.");
}
