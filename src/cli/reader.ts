import type { Policy } from "../core/decide/policy.ts";
import type { AccountName } from "../core/net/address.ts";
import type { Millis } from "../core/time.ts";
import type { AccountState } from "../engine/explain/account-state.ts";
import type { Queries } from "../engine/storage-ports.ts";
import type { AccountItem, AccountRow, AliasItem, TokenItem } from "../wire/control/items.ts";
import type { CountedPage, PageRequest } from "../wire/control/paging.ts";
import type { ReplayReport } from "../wire/control/replay-items.ts";
import type { ReplayAsked } from "./run-replay.ts";

/** Data for commands that print: the two databases, opened read-only, and the settings. */
export interface Reader {
  readonly queries: Queries;
  accounts(asked: PageRequest): CountedPage<AccountItem>;
  /** Null if there is no such account. */
  account(name: AccountName): AccountRow | null;
  /** What the guard knows of it. */
  accountState(name: AccountName, policy: Policy, now: Millis): AccountState;
  aliases(asked: PageRequest): CountedPage<AliasItem>;
  tokens(asked: PageRequest): CountedPage<TokenItem>;
  /** Decides recorded events again, about a minute for a million of them. */
  replay(asked: ReplayAsked): ReplayReport;
}
