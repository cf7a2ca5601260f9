import { pageByKey } from "../../admin/declare/paging.ts";
import { isMailboxUser, isWebAdmin } from "../../admin/declare/rights.ts";
import type { AccountName, SenderPattern } from "../../core/net/address.ts";
import { plural } from "../../core/text.ts";
import type { Engine } from "../engine.ts";
import type { SpamAllowStore } from "../mailbox-ports.ts";
import type { Clock } from "../ports.ts";
import { recordDone } from "./record-first.ts";
import { failed } from "./refusals.ts";
import type { RunOf, RunsOf } from "./run-of.ts";

export type SpamCommandParts = Readonly<{ engine: Pick<Engine, "audit">; clock: Clock; senders: SpamAllowStore }>;

/** Changes the allowed senders of an account. The filter applies the change from the next mail on. */
export const spamAllow: RunOf<`spam_allow_${"add" | "remove"}`, SpamCommandParts> = async (
  parts,
  { verb, account, sender },
  by,
) => {
  const adding = verb === "spam_allow_add";
  const beyond = adding ? beyondOf(by, parts.senders, account, sender) : null;
  if (beyond !== null) return failed(beyond, "Use `spam allow add` on the server.");
  const outcome = adding
    ? parts.senders.allowSender(account, sender, by, parts.clock.now())
    : parts.senders.disallowSender(account, sender);
  if (!outcome.ok) return failed(outcome.reason, "`spam allow list` shows the allowed senders.");
  const type = adding ? "SPAM_ALLOW_ADDED" : "SPAM_ALLOW_REMOVED";
  const audit = { type, subject: `${sender} for ${account}`, account, sender, by } as const;
  return recordDone(parts.engine, audit, { account, sender });
};

export const SPAM_RUNS = {
  spam_allow_add: spamAllow,
  spam_allow_remove: spamAllow,
  spam_allow_list: ({ senders }, asked) => ({
    ok: true,
    result: pageByKey(senders.allowedSenders(), asked, ({ account, sender }) => `${account}/${sender}`),
  }),
} satisfies RunsOf<SpamCommandParts>;

/** Maximum senders that the web may allow: for one account, and in total. */
const MOST_OF_WEB = { account: 50, all: 500 } as const;
/**
 * Allows one `*` before the `@`, and one for the subdomains of a written domain. SpamAssassin tries every way to match several of
 * them, which takes seconds for a short mail from a sender made for it.
 */
const NARROW = /^[^*]*\*?[^*]*@(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;
const HOW = "write the domain out, with at most one * before the @";

/** Returns why this actor may not allow this sender, or null. Root has no bounds. */
function beyondOf(by: string, senders: SpamAllowStore, account: AccountName, sender: SenderPattern): string | null {
  if (isWebAdmin(by)) return beyondWeb(senders, account, sender);
  return isMailboxUser(by) ? beyondUser(senders, account, sender) : null;
}

/** Each user has a list for their own mailbox, which no other user can fill. */
function beyondUser(senders: SpamAllowStore, account: AccountName, sender: SenderPattern): string | null {
  if (!NARROW.test(sender)) return `${sender} is too wide: ${HOW}.`;
  const own = senders.allowedSenders().filter((one) => one.account === account && isMailboxUser(one.by));
  return own.length < MOST_OF_WEB.account
    ? null
    : `You have allowed ${plural(MOST_OF_WEB.account, "sender")}, which is the maximum.`;
}

/** An attacker who takes over the web must neither allow every sender nor fill the table behind the filter's lists. */
function beyondWeb(senders: SpamAllowStore, account: AccountName, sender: SenderPattern): string | null {
  if (!NARROW.test(sender)) return `${sender} is too wide for the dashboard and the API: ${HOW}.`;
  const own = senders.allowedSenders().filter(({ by }) => isWebAdmin(by));
  const ofAccount = own.filter((one) => one.account === account).length;
  if (own.length < MOST_OF_WEB.all && ofAccount < MOST_OF_WEB.account) return null;
  return "The dashboard and the API have reached their maximum of allowed senders.";
}
