import type { AccountName } from "../core/net/address.ts";
import type { Queries } from "../engine/storage-ports.ts";
import type { AccountItem, AccountRow, AliasItem, TokenItem } from "../wire/control/items.ts";
import type { CountedPage, PageRequest } from "../wire/control/paging.ts";
import type { ReplayReport } from "../wire/control/replay-items.ts";
import type { ReplayAsked } from "./run-replay.ts";

/** What commands that print read: the two databases, opened read-only, and the settings. */
export interface Reader {
  readonly queries: Queries;
  accounts(asked: PageRequest): CountedPage<AccountItem>;
  /** Null if there is none. */
  account(name: AccountName): AccountRow | null;
  aliases(asked: PageRequest): CountedPage<AliasItem>;
  tokens(asked: PageRequest): CountedPage<TokenItem>;
  /** Decides what was recorded once more, which takes about a minute for a million events. */
  replay(asked: ReplayAsked): ReplayReport;
}
