import { type AccountName, parseAccountName } from "../../core/net/address.ts";
import { isoTime, MINUTE_MS } from "../../core/time.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import type { DetailedAccount } from "../../wire/control/results.ts";
import type { Keeper } from "../admin-ports.ts";
import { Shares } from "../budget.ts";
import type { GreylistPauses } from "../facts/greylisting.ts";
import { type AccountListParts, accountDetails } from "./account-lists.ts";
import { UNAUTHORIZED, type WebCaller } from "./web.ts";

export type MyMailboxParts = AccountListParts & Readonly<{ pauses: Pick<GreylistPauses, "pauses"> }>;
export type OfMailbox = Readonly<{ caller: WebCaller; by: string }>;
type MyCommand = Extract<Command, { readonly verb: "my_mailbox" }>;

/** How often a minute Dovecot is asked how full a mailbox is: a program is started for it each time. */
const LOOKS_A_MINUTE = 30;

/**
 * What the user of a mailbox sees and changes. The account is always the caller's own, which the session tells; no command names
 * one. Nothing of other accounts is in an answer, not even their names.
 */
export class MyMailboxCommands {
  readonly #parts: MyMailboxParts;
  readonly #looks = new Shares<AccountName>(LOOKS_A_MINUTE, MINUTE_MS);

  constructor(parts: MyMailboxParts) {
    this.#parts = parts;
  }

  async run(command: MyCommand, { caller }: OfMailbox): Promise<Reply> {
    const account = parseAccountName(caller.item.account ?? "");
    if (account === null) return UNAUTHORIZED;
    switch (command.verb) {
      case "my_mailbox":
        return this.#mailbox(account);
    }
  }

  async #mailbox(account: AccountName): Promise<Reply<"my_mailbox">> {
    const { keeper, pauses, clock } = this.#parts;
    const now = clock.now();
    const asked = this.#looks.spend(account, now) ? keeper : UNASKED;
    const told = await accountDetails({ ...this.#parts, keeper: asked }, { verb: "account_details", name: account });
    if (!told.ok) return told;
    if (told.result.account === null) return UNAUTHORIZED;
    const pause = pauses.pauses(now).find(({ target }) => target === account);
    return { ok: true, result: mailboxOf(told.result.account, pause === undefined ? null : isoTime(pause.until)) };
  }
}

const UNASKED: Keeper = { ask: () => Promise.resolve({ ok: false, reason: "it was asked often enough" }) };

function mailboxOf(details: DetailedAccount, greylistPausedUntil: string | null) {
  const { name: account, quotaBytes, usualQuotaBytes, use, aliases, networks, guarded, passwordsOnServer } = details;
  return {
    account,
    quotaBytes: quotaBytes ?? usualQuotaBytes,
    usedBytes: use?.usedBytes ?? null,
    mails: use?.mails ?? null,
    // Their other targets may be accounts of others.
    aliases: aliases.map(({ address }) => address),
    networks,
    guarded: guarded !== null,
    greylistPausedUntil,
    passwordOnServer: passwordsOnServer,
  };
}
