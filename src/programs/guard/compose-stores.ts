import type { PageRequest } from "../../admin/declare/paging.ts";
import type { Keeper } from "../../guard/admin-ports.ts";
import type { Engine } from "../../guard/engine.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { countKeys } from "../../store/accounts-db/account-keys.ts";
import { sqliteAccountLists } from "../../store/accounts-db/account-lists.ts";
import { sqliteAccounts } from "../../store/accounts-db/accounts.ts";
import { NotedUses, sqliteCredentials } from "../../store/accounts-db/credentials.ts";
import { sqliteFactors, sqlitePasskeys } from "../../store/accounts-db/factors.ts";
import { sqliteFileAccounts } from "../../store/accounts-db/file-accounts.ts";
import { sqliteCountedForwards } from "../../store/accounts-db/forwards.ts";
import {
  sqliteActiveAccounts,
  sqliteAliasReach,
  sqliteRecipients,
  sqliteSenderLogins,
} from "../../store/accounts-db/mail-lookups.ts";
import { sqliteSessionPages, sqliteSessions } from "../../store/accounts-db/sessions.ts";
import { sqliteAccountSettingStores } from "../../store/accounts-db/setting-tables.ts";
import { sqliteSpamAllow } from "../../store/accounts-db/spam-allow.ts";
import { sqliteAccountHistory } from "../../store/engine-db/account-history.ts";
import { sqliteBanLog } from "../../store/engine-db/ban-log.ts";
import { sqliteCorrespondents } from "../../store/engine-db/correspondents.ts";
import { sqliteHeldMail } from "../../store/engine-db/held-mail.ts";
import { sqliteHonestMail } from "../../store/engine-db/honest-mail.ts";
import { sqliteNetworkHistory } from "../../store/engine-db/network-history.ts";
import { sqliteSendingHistory } from "../../store/engine-db/sending-history.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { sqliteAuditEntries } from "../../store/events/audit.ts";
import { EventCount } from "../../store/events/event-ids.ts";
import { type Databases, initialise } from "../../store/recovery/initialise.ts";
import { betweenTransactions, rehearsalOn } from "../../store/transactions.ts";

type Stores = ReturnType<typeof composeStores>;

/** What most parts of the guard need. */
export type GuardParts = Readonly<{
  /** The settings at the start. */
  settings: Settings;
  layout: Layout;
  engine: Engine;
  stores: Stores;
  keeper: Keeper;
  notices: Notices;
  clock: Clock;
  log: Log;
}>;

export function composeStores(layout: Layout, clock: Clock, commit: () => void) {
  return storesOn(initialise(layout), clock, commit);
}

/**
 * Everything that reads and writes the two databases. Only the guard writes them. `commit` is the engine's: its open
 * transaction ends before a command writes.
 */
export function storesOn({ engine: db, accounts: accountsDb }: Databases, clock: Clock, commit: () => void) {
  const events = new EventCount(db);
  const uses = new NotedUses();
  const outside = betweenTransactions(db, commit);
  const audit = sqliteAuditEntries(db);
  const accountSettings = sqliteAccountSettingStores(accountsDb, uses);
  return {
    db,
    accountsDb,
    events,
    store: new SqliteStore(db, events),
    audited: {
      /** Reads only committed entries, because others may never be committed. */
      entries: (asked: PageRequest) => {
        commit();
        return audit.entries(asked);
      },
    },
    banLog: sqliteBanLog(db),
    accountHistory: sqliteAccountHistory(db, (account) => accountSettings.appPasswords.passwordHashesOf(account)),
    heldMail: sqliteHeldMail(outside),
    sending: sqliteSendingHistory(db),
    honest: sqliteHonestMail(db),
    neighbours: sqliteNetworkHistory(db),
    credentials: sqliteCredentials(accountsDb, clock, uses),
    sessions: sqliteSessions(accountsDb, uses),
    signedIn: sqliteSessionPages(accountsDb),
    factors: sqliteFactors(accountsDb),
    rehearse: rehearsalOn(accountsDb),
    passkeys: sqlitePasskeys(accountsDb),
    accounts: sqliteAccounts(accountsDb),
    reach: sqliteAliasReach(accountsDb),
    keyCounts: (most: number) => countKeys(accountsDb, most),
    accountLists: sqliteAccountLists(accountsDb),
    active: sqliteActiveAccounts(accountsDb),
    files: sqliteFileAccounts(accountsDb),
    ...accountSettings,
    countedForwards: sqliteCountedForwards(accountsDb, uses),
    recipients: sqliteRecipients(accountsDb, clock),
    logins: sqliteSenderLogins(accountsDb, uses),
    correspondents: sqliteCorrespondents(outside, accountsDb),
    senders: sqliteSpamAllow(outside, accountsDb),
  } as const;
}
