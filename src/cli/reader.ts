import type { Seen } from "../core/access-review.ts";
import type { Anchor, AuditEntry, Checked } from "../core/audit/chain.ts";
import type { Policy } from "../core/decide/policy.ts";
import type { EventRecord } from "../core/events/record.ts";
import type { AccountName } from "../core/net/address.ts";
import type { Millis } from "../core/time.ts";
import type { Forwarding } from "../engine/mailbox-ports.ts";
import type { ReplayAsked } from "../engine/replay/ports.ts";
import type { Queries } from "../engine/storage-ports.ts";
import type { AppPasswordItem } from "../wire/control/access-items.ts";
import type { KeptKey, KeyCounts } from "../wire/control/account-key.ts";
import type { AccountItem } from "../wire/control/items.ts";
import type { CountedPage, PageRequest } from "../wire/control/paging.ts";
import type { ReplayReport } from "../wire/control/replay-items.ts";
import type { TokenItem } from "../wire/verbs/access.ts";
import type { AccountKnown, AccountRow } from "../wire/verbs/accounts.ts";
import type { AliasItem } from "../wire/verbs/aliases.ts";
import type { VacationItem } from "../wire/verbs/mailboxes.ts";

/** Data for commands that print: the settings, and the two databases, opened read-only. */
export interface Reader {
  readonly queries: Queries;
  accounts(asked: PageRequest): CountedPage<AccountItem>;
  /** Null if the account is missing. */
  account(name: AccountName): AccountRow | null;
  /** The guard's data about it. */
  accountState(name: AccountName, policy: Policy, now: Millis): AccountKnown;
  aliases(asked: PageRequest): CountedPage<AliasItem>;
  /** The account's addresses, and where it last signed in. */
  access(name: string): Readonly<{ addresses: readonly string[]; lastSignIn: Seen | null }>;
  /** The hash of its password; null if the account is missing. */
  accountPassword(name: string): string | null;
  /** Oldest first. */
  appPasswords(name: string): readonly AppPasswordItem[];
  /** Null: its mail stays in its mailbox. */
  forwarding(name: string): Forwarding | null;
  /** Null: it sends no replies. Also returns a reply that has ended. */
  vacation(name: string): VacationItem | null;
  /** All keys of an account that has its own, newest first; the account may have been removed. */
  accountKeys(name: string): readonly KeptKey[];
  /** Whether any account, including removed ones, has a key: another recovery key does not open it. */
  hasAccountKeys(): boolean;
  /** At most `most` names each. */
  countKeys(most: number): KeyCounts;
  /** The hash of the dashboard's password; null if none is set. */
  dashboardPassword(): string | null;
  tokens(asked: PageRequest): CountedPage<TokenItem>;
  readonly audit: AuditReader;
  /** Addresses from which an account signed in since then for the first time. */
  newPlaces(account: string, since: Millis): readonly string[];
  /** The events since then, oldest first; skips events of older versions. */
  records(since: Millis): Iterable<EventRecord>;
  /** Replays recorded events; takes about a minute for a million. */
  replay(asked: ReplayAsked): Promise<ReplayReport>;
}

/** Administrators' actions, as a chain (docs/audit.md). */
export interface AuditReader {
  /** Newest first; the cursor is an id. */
  page(asked: PageRequest): CountedPage<AuditEntry>;
  /** Oldest first. */
  all(): Iterable<AuditEntry>;
  check(anchors: readonly Anchor[], now: Millis): Checked;
  /** The times of the last entry of this type and of the oldest entry; null if there is none. ISO 8601. */
  lastOf(type: string): Readonly<{ at: string | null; since: string | null }>;
}
