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

/** Data for commands that print: the two databases, opened read-only, and the settings. */
export interface Reader {
  readonly queries: Queries;
  accounts(asked: PageRequest): CountedPage<AccountItem>;
  /** Null if the account is missing. */
  account(name: AccountName): AccountRow | null;
  /** What the guard knows of it. */
  accountState(name: AccountName, policy: Policy, now: Millis): AccountKnown;
  aliases(asked: PageRequest): CountedPage<AliasItem>;
  /** The addresses under which an account may send, and where it signed in last. */
  access(name: string): Readonly<{ addresses: readonly string[]; lastSignIn: Seen | null }>;
  /** The hash of its password; null if the account is missing. */
  accountPassword(name: string): string | null;
  /** The oldest first. */
  appPasswords(name: string): readonly AppPasswordItem[];
  /** Null: its mail stays in its mailbox. */
  forwarding(name: string): Forwarding | null;
  /** Null: it sends no replies. One that is over is returned too. */
  vacation(name: string): VacationItem | null;
  /** All keys of an account that has its own, newest first; the account may be gone. */
  accountKeys(name: string): readonly KeptKey[];
  /** Whether there is a key of any account, also of one that is gone: another recovery key does not open it. */
  hasAccountKeys(): boolean;
  /** Of the names, `most` each. */
  countKeys(most: number): KeyCounts;
  /** The hash of the dashboard's password; null if none is set. */
  dashboardPassword(): string | null;
  tokens(asked: PageRequest): CountedPage<TokenItem>;
  readonly audit: AuditReader;
  /** Addresses from which an account signed in since then, and never before. */
  newPlaces(account: string, since: Millis): readonly string[];
  /** The events since then, oldest first; events of older versions are skipped. */
  records(since: Millis): Iterable<EventRecord>;
  /** Decides recorded events again, about a minute for a million of them. */
  replay(asked: ReplayAsked): Promise<ReplayReport>;
}

/** What administrators did, as a chain (docs/audit.md). */
export interface AuditReader {
  /** The newest first; the cursor is an id. */
  page(asked: PageRequest): CountedPage<AuditEntry>;
  /** The oldest first. */
  all(): Iterable<AuditEntry>;
  check(anchors: readonly Anchor[], now: Millis): Checked;
  /** When there was an entry of this type last, and when the oldest entry was; null if there is none. ISO 8601. */
  lastOf(type: string): Readonly<{ at: string | null; since: string | null }>;
}
