import { parseAccountName } from "../../../core/net/address.ts";
import type { Command, Reply } from "../../../wire/control/control.ts";
import type { AppPasswordStore, ForwardStore } from "../../mailbox-ports.ts";
import type { AccountListParts } from "../accounts/account-lists.ts";
import { keeperFault } from "../keeper-fault.ts";

type AccessReviewParts = Pick<AccountListParts, "book" | "lastSignIn" | "keeper"> &
  Readonly<{
    appPasswords: Pick<AppPasswordStore, "appPasswordsOf">;
    forwards: Pick<ForwardStore, "forwardingOf">;
  }>;

/** Maximum addresses listed for one account. */
const MOST_ADDRESSES = 100;

/** Lists a page of accounts: who can read the mail of each, and where it is forwarded automatically. Only root reads the users' Sieve scripts. */
export async function accessReview(
  { book, lastSignIn, keeper, appPasswords, forwards }: AccessReviewParts,
  asked: Extract<Command, { readonly verb: "access_review" }>,
): Promise<Reply<"access_review">> {
  const { items, next, total } = book.accounts(asked);
  const rows = items.flatMap((row) => {
    const name = parseAccountName(row.name);
    return name === null ? [] : [{ ...row, name }];
  });
  const reply = await keeper.ask({ verb: "redirects", accounts: rows.map(({ name }) => name) });
  if (!reply.ok || reply.redirects === undefined) return keeperFault(reply);
  const { redirects } = reply;
  const reviewed = rows.map(({ name, suspended, networks, createdAt }) => {
    const to = forwards.forwardingOf(name)?.to ?? [];
    return {
      name,
      suspended,
      networks,
      createdAt,
      addresses: book.addressesOf(name, MOST_ADDRESSES),
      appPasswords: appPasswords.appPasswordsOf(name).map((one) => one.name),
      lastSignIn: lastSignIn(name),
      forwards: [
        ...(to.length === 0 ? [] : [{ to, by: "account forward" }]),
        ...redirects.filter(({ address }) => address === name).map((one) => ({ to: one.to, by: one.by })),
      ],
    };
  });
  return { ok: true, result: { items: reviewed, next, total } };
}
