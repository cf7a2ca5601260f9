import type { DatabaseSync } from "node:sqlite";
import { ALL, type PageRequest } from "../../admin/declare/paging.ts";
import type { EventRecord } from "../../core/events/event.ts";
import type { AccountName } from "../../core/net/address.ts";
import type { Millis } from "../../core/time.ts";
import { recordedEvents } from "../../jobs/replay/recorded-events.ts";
import type { ReplayAsked } from "../../jobs/replay/run-replay.ts";
import type { Layout } from "../../settings/layout.ts";
import { countKeys, hasKeys, readKeys } from "../../store/accounts-db/account-keys.ts";
import { sqliteAccountLists } from "../../store/accounts-db/account-lists.ts";
import { roleReader } from "../../store/accounts-db/account-networks.ts";
import { readCredentials } from "../../store/accounts-db/credentials.ts";
import { readAccountSettings, readMailboxSettings } from "../../store/accounts-db/setting-tables.ts";
import { newPlaces, sqliteLastSignIns } from "../../store/engine-db/account-history.ts";
import { sqliteHeldMail } from "../../store/engine-db/held-mail.ts";
import { sqliteQueries } from "../../store/engine-db/queries.ts";
import { sqliteAuditEntries } from "../../store/events/audit.ts";
import { openAccountsForReading, openEngineForReading, UnusableDatabase } from "../../store/open.ts";

/** Opens the two databases for reading. The caller has checked that the guard runs. */
export function openReader(layout: Layout) {
  try {
    const engine = openEngineForReading(layout.engineDb);
    const accounts = openAccountsForReading(layout.accountsDb);
    const lists = sqliteAccountLists(accounts);
    const signIns = sqliteLastSignIns(engine);
    const credentials = readCredentials(accounts);
    const close = () => {
      engine.close();
      accounts.close();
    };
    const reader = {
      ...lists,
      queries: sqliteQueries(engine),
      accounts: (asked: PageRequest) => {
        const { items, ...page } = lists.accounts(asked);
        return { ...page, items: items.map((row) => ({ ...row, lastSignInAt: signIns(row.name)?.at ?? null })) };
      },
      /** Aliases with this account as their only target. */
      aliasesOnlyTo: (name: AccountName) =>
        lists.aliasesTo(name, ALL.limit).filter(({ targets }) => targets.length === 1),
      /** Accounts whose forward ends if this account is removed. */
      forwardsEndedBy: (name: AccountName) => [...new Set(lists.forwardsEndedBy(name).map(({ account }) => account))],
      /** The account's addresses, and where it last signed in. */
      access: (name: string) => ({ addresses: lists.sendersOf(name), lastSignIn: signIns(name) }),
      /** The account's settings, in words. */
      settings: (name: string) => readAccountSettings(accounts, name),
      own: (name: string) => readMailboxSettings(accounts, name),
      /** All keys of an account that has its own, newest first; the account may have been removed. */
      accountKeys: (name: string) => readKeys(accounts, name),
      /** Whether any account, including removed ones, has a key, which only the recovery key of that time opens. */
      hasAccountKeys: () => hasKeys(accounts),
      /** Who gets mail for postmaster@ and abuse@ where no alias or account has that name. */
      roleReader: () => roleReader(accounts),
      /** At most `most` names in each list. */
      countKeys: (most: number) => countKeys(accounts, most),
      /** The hash; null if none is set. */
      dashboardPassword: credentials.adminPasswordHash,
      tokens: credentials.tokens,
      heldMail: sqliteHeldMail(engine),
      /** Administrators' actions, as a chain (docs/audit.md). */
      get audit() {
        return sqliteAuditEntries(engine);
      },
      /** Addresses from which the account signed in for the first time since then. */
      newPlaces: (account: string, since: Millis) => newPlaces(engine, account, since),
      /** The events since then, oldest first; skips events of older versions. */
      records: (since: Millis) => recordsSince(engine, since),
      /** Replays recorded events; takes about a minute for a million. */
      replay: async (asked: ReplayAsked) => (await import("../../jobs/replay/run-replay.ts")).runReplay(engine, asked),
    };
    return { ok: true as const, reader, close };
  } catch (error) {
    if (error instanceof UnusableDatabase) return { ok: false as const, reason: error.message };
    throw error;
  }
}

function* recordsSince(engine: DatabaseSync, since: Millis): Generator<EventRecord> {
  const recorded = recordedEvents(engine);
  for (const { record } of recorded.between(recorded.firstSince(since), recorded.last()))
    if (record !== null && record.at >= since) yield record;
}
