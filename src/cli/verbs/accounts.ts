import { type AccountName, type Address, domainOf, parseAccountName, parseAddress } from "../../core/net/address.ts";
import { plural } from "../../core/text.ts";
import { formatSize } from "../../settings/size.ts";
import type { AccountItem } from "../../wire/control/items.ts";
import {
  type CommandCall,
  type CommandFailure,
  type CommandOutcome,
  done,
  failed,
  PROGRAM,
  wrongUsage,
} from "../call.ts";
import { confirmed } from "../confirm.ts";
import { andMore, pageFrom } from "../listing.ts";
import { newPasswordHash } from "../new-password.ts";
import { columns, dayAndTime, oneLine, shown } from "../print/text.ts";
import { settingsOf } from "./server-settings.ts";

export async function accountAdd(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  // Checked first, so that no password is typed in vain.
  const running = await call.guard.ask<"ping">({ verb: "ping" });
  if (!running.ok) return running;
  const password = await newPasswordHash(call, name);
  if (!password.ok) return password;
  const asked = await call.guard.ask<"account_add">({ verb: "account_add", name, ...secretOf(password) });
  if (!asked.ok) return overridden(call, name) ?? asked;
  return done(asked.result, `${name} can receive, read and send mail now.`, `${PROGRAM} account list`);
}

/** The domain is in the file, but a variable decides. */
function overridden(call: CommandCall, name: AccountName): CommandFailure | null {
  const loaded = settingsOf(call);
  const source = loaded.ok ? loaded.sources.domains : null;
  const isInFile = source?.from === "env" && source.overrides?.toml.includes(JSON.stringify(domainOf(name)));
  if (source?.from !== "env" || isInFile !== true || source.toml.includes(JSON.stringify(domainOf(name)))) return null;
  const { variable } = source;
  return failed(
    `${domainOf(name)} is in ghostinbox.toml, but ${variable} overrides it: the server has ${source.toml}.`,
    `Start the server without ${variable}.`,
  );
}

/** What the guard gets of a password. */
function secretOf({ hash, proof }: Readonly<{ hash: string; proof: string }>) {
  return { hash, proof };
}

export async function accountPasswd(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const running = await call.guard.ask<"ping">({ verb: "ping" });
  if (!running.ok) return running;
  const password = await newPasswordHash(call, name);
  if (!password.ok) return password;
  const asked = await call.guard.ask<"account_passwd">({ verb: "account_passwd", name, ...secretOf(password) });
  if (!asked.ok) return asked;
  return done(
    asked.result,
    `${name} has a new password; its open sessions were ended.`,
    `${PROGRAM} events --type LOGIN_FAILED`,
  );
}

export async function accountRemove(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  if (!(await confirmed(call, `Remove ${name}? Nobody will be able to sign in or send mail to it.`)))
    return failed(`${name} was not removed.`, "");
  const asked = await call.guard.ask<"account_remove">({ verb: "account_remove", name });
  if (!asked.ok) return asked;
  const text = `${name} is removed and its open sessions were ended. Its mail stays in ${call.layout.mail}.`;
  return done(asked.result, text, `${PROGRAM} account list`);
}

export async function accountSuspend(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const asked = await call.guard.ask<"account_suspend">({ verb: "account_suspend", name });
  if (!asked.ok) return asked;
  const { held } = asked.result;
  const queued =
    held === 0 ? "" : ` Of its own mail, ${plural(held, "mail")} in the queue ${held === 1 ? "is" : "are"} held.`;
  const text = `${name} cannot sign in any more; its open sessions were ended. Mail for it still arrives.${queued}`;
  return done(asked.result, text, `${PROGRAM} account ${held === 0 ? "resume" : "held"} ${name}`);
}

export async function accountResume(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const asked = await call.guard.ask<"account_resume">({ verb: "account_resume", name });
  if (!asked.ok) return asked;
  const { held } = asked.result;
  if (held === 0) return done(asked.result, `${name} can sign in again.`, `${PROGRAM} account list`);
  const text = `${name} can sign in again. ${plural(held, "mail")} of it ${held === 1 ? "is" : "are"} still held.`;
  return done(asked.result, text, `${PROGRAM} account release ${name}, or ${PROGRAM} account drop ${name}`);
}

export async function accountList(call: CommandCall): Promise<CommandOutcome> {
  const page = pageFrom(call, "accounts");
  if ("ok" in page) return page;
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const listed = opened.reader.accounts(page);
  const { items } = listed;
  if (items.length === 0) return done(listed, "There is no account yet.", `${PROGRAM} account add you@example.org`);
  const rows = items.map((item) => [
    item.name,
    stateOf(item),
    dayAndTime(item.createdAt),
    item.lastSignInAt === null ? "-" : dayAndTime(item.lastSignInAt),
    item.quotaBytes === null ? "default" : item.quotaBytes === 0 ? "none" : formatSize(item.quotaBytes),
    item.networks.length === 0 ? "anywhere" : item.networks.map(shown).join(", "),
  ]);
  const more = andMore({ ...listed, shown: items.length }, page.cursor);
  return done(listed, columns([["ACCOUNT", "STATE", "SINCE", "LAST SIGN-IN", "QUOTA", "FROM"], ...rows]) + more);
}

export function stateOf({ origin, suspended }: Pick<AccountItem, "origin" | "suspended">): string {
  return STATES[origin] ?? (suspended ? "suspended" : "active");
}

/** States other than suspended or not. */
const STATES: Partial<Record<AccountItem["origin"], string>> = { unlisted: "not in the accounts file" };

export function accountFrom(text: string | undefined): AccountName | CommandFailure {
  const name = parseAccountName(text ?? "");
  return name ?? wrongUsage(`"${oneLine(text ?? "")}" cannot be an account.`, "Write it like anna@example.org.");
}

export function addressFrom(text: string | undefined): Address | CommandFailure {
  const address = parseAddress(text ?? "");
  return address ?? wrongUsage(`"${oneLine(text ?? "")}" is not a mail address.`, "Write it like anna@example.org.");
}
