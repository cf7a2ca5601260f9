import type { AccountRow } from "../../../../admin/accounts.ts";
import type { MailboxSettings } from "../../../../admin/mailboxes.ts";
import type { AccountName } from "../../../../core/net/address.ts";
import { printPrefix } from "../../../../core/net/ip.ts";
import { formatBytes } from "../../../../core/report/figures.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime } from "../../../../core/time.ts";
import type { MailboxUse } from "../../../../mail/dovecot/doveadm.ts";
import { mostMails } from "../../../../mail/dovecot/quota.ts";
import { formatSize, parseSize } from "../../../../settings/kinds/kind.ts";
import { type Answer, type Call, done, type Failure, PROGRAM, withReader, wrongUsage } from "../../call.ts";
import { wordsOf } from "../../parse.ts";
import { columns, oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";
import { noAccount, ofAccount } from "./accounts.ts";

type Stored = Readonly<{ account: AccountRow; own: MailboxSettings }>;

function show(call: Call, name: AccountName, print: (stored: Stored) => Answer | Promise<Answer>): Promise<Answer> {
  return withReader(async (_, reader) => {
    const account = reader.account(name);
    return account === null ? noAccount(name) : print({ account, own: reader.own(name) });
  })(call);
}

export const accountNetworks = ofAccount(async (call, name) => {
  const networks = [...wordsOf(call.args[2])];
  const action = call.args[1] ?? "";
  if (action === "list")
    return networks.length === 0
      ? show(call, name, ({ account: { networks: of } }) => done({ name, networks: of }, networksSentence(name, of)))
      : wrongUsage("list takes no network.", "");
  if (action !== "add" && action !== "remove")
    return wrongUsage(`Use add, remove or list, not "${action}".`, `Write: ${PROGRAM} account networks ${name} list`);
  if (networks.length === 0)
    return wrongUsage(`There is no network to ${action}.`, "Write it like 203.0.113.0/24 or 2001:db8::/32.");
  const asked = await call.guard.ask<"networks_add" | "networks_remove">({
    verb: `networks_${action}`,
    name,
    networks,
  });
  if (!asked.ok) return asked;
  return done(asked.result, networksSentence(name, asked.result.networks), `${PROGRAM} account list`);
});

function networksSentence(name: AccountName, networks: readonly string[]): string {
  if (networks.length === 0) return `${name} may sign in from anywhere that logins.networks allows.`;
  return `${name} may sign in from ${networks.map(printPrefix).join(", ")} only.`;
}

export const accountQuota = ofAccount(async (call, name) => {
  const [, size] = call.args;
  if (size === undefined)
    return show(call, name, async ({ account: { quotaBytes } }) => {
      const use = await mailboxUse(call, name);
      const limit = quotaText(call, quotaBytes, use);
      const text =
        use === null
          ? `The quota of ${name} is ${limit}; how much it uses is not known.`
          : `${name} uses ${usedText(use)}; its quota is ${limit}.`;
      return done({ name, quotaBytes, use }, text);
    });
  const quotaBytes = quotaFrom(size);
  if (typeof quotaBytes === "object" && quotaBytes !== null) return quotaBytes;
  const asked = await call.guard.ask({ verb: "quota_set", name, quotaBytes });
  if (!asked.ok) return asked;
  const text = `The quota of ${name} is ${quotaText(call, quotaBytes)} now.`;
  return done(asked.result, text, `${PROGRAM} queue flush --recipient ${name}  # if mail waits for room`);
});

/** Null while the keeper or Dovecot does not answer. */
export async function mailboxUse(call: Call, name: AccountName): Promise<MailboxUse | null> {
  const reply = await call.keeper.ask({ verb: "mailbox_use", account: name });
  return reply.ok ? (reply.mailbox ?? null) : null;
}

export function usedText({ usedBytes, mails }: MailboxUse): string {
  return `${formatBytes(usedBytes)} for ${plural(mails, "mail")}`;
}

/** Describes a quota; for the default, with the value of the settings if known. */
export function quotaText(call: Call, quotaBytes: number | null, use: MailboxUse | null = null): string {
  if (quotaBytes !== null) return sizeText(quotaBytes, use);
  const loaded = settingsOf(call);
  if (!loaded.ok) return "that of mailboxes.quota";
  return `${sizeText(loaded.settings["mailboxes.quota"], use)} (mailboxes.quota)`;
}

/** Includes the maximum number of mails once it is half reached: a mailbox of small mails is full before its bytes are used. */
function sizeText(quotaBytes: number, use: MailboxUse | null): string {
  if (quotaBytes === 0) return "unlimited";
  const most = mostMails(quotaBytes);
  return `${formatSize(quotaBytes)}${use !== null && use.mails * 2 >= most ? ` and ${plural(most, "mail")}` : ""}`;
}

function quotaFrom(text: string): number | null | Failure {
  if (text === "default") return null;
  if (text === "none") return 0;
  return parseSize(text) ?? wrongUsage(`"${oneLine(text)}" is not a size.`, "Write 500MB or 10GB, none or default.");
}

export const accountAppPasswordList = ofAccount((call, name) =>
  show(call, name, ({ own: { appPasswords } }) => {
    const json = { name, appPasswords };
    if (appPasswords.length === 0)
      return done(json, `${name} has no app password.`, `${PROGRAM} account app-password add ${name} phone`);
    const rows = appPasswords.map(({ name: app, usedAt, madeAt, madeBy }) => [
      app,
      usedAt === null ? "never" : dayAndTime(usedAt),
      dayAndTime(madeAt),
      madeBy,
    ]);
    return done(json, columns([["APP PASSWORD", "USED", "MADE", "BY"], ...rows]));
  }),
);
