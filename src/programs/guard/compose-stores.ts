import type { Keeper } from "../../guard/admin-ports.ts";
import type { Engine } from "../../guard/engine.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { countKeys } from "../../store/accounts-db/account-keys.ts";
import { AccountLists } from "../../store/accounts-db/account-lists.ts";
import { SqliteAccounts } from "../../store/accounts-db/accounts.ts";
import { NotedUses, SqliteCredentials } from "../../store/accounts-db/credentials.ts";
import { SqliteFactors, SqlitePasskeys } from "../../store/accounts-db/factors.ts";
import { SqliteFileAccounts } from "../../store/accounts-db/file-accounts.ts";
import { SqliteCountedForwards } from "../../store/accounts-db/forwards.ts";
import {
  SqliteActiveAccounts,
  SqliteAliasReach,
  SqliteRecipients,
  SqliteSenderLogins,
} from "../../store/accounts-db/mail-lookups.ts";
import { SqliteSessions, sessionPages } from "../../store/accounts-db/sessions.ts";
import { accountSettingStores } from "../../store/accounts-db/setting-tables.ts";
import { SqliteSpamAllow } from "../../store/accounts-db/spam-allow.ts";
import { sqliteAccountHistory } from "../../store/engine-db/account-history.ts";
import { sqliteBanLog } from "../../store/engine-db/ban-log.ts";
import { sqliteCorrespondents } from "../../store/engine-db/correspondents.ts";
import { sqliteHeldMail } from "../../store/engine-db/held-mail.ts";
import { sqliteHonestMail } from "../../store/engine-db/honest-mail.ts";
import { sqliteNetworkHistory } from "../../store/engine-db/network-history.ts";
import { sqliteSendingHistory } from "../../store/engine-db/sending-history.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { AuditEntries } from "../../store/events/audit.ts";
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

export function composeStores(layout: Layout, clock: Clock, flush: () => void) {
  return storesOn(initialise(layout), clock, flush);
}

/**
 * Everything that reads and writes the two databases. Only the guard writes them. `flush` commits the engine's open
 * transaction before a command writes.
 */
export function storesOn({ engine: db, accounts: accountsDb }: Databases, clock: Clock, flush: () => void) {
  const events = new EventCount(db);
  const uses = new NotedUses();
  const outside = betweenTransactions(db, flush);
  const own = accountSettingStores(accountsDb, uses);
  return {
    db,
    accountsDb,
    events,
    store: new SqliteStore(db, events),
    audited: committedFirst(new AuditEntries(db), flush),
    banLog: sqliteBanLog(db),
    accountHistory: sqliteAccountHistory(db, (account) => own.appPasswords.passwordHashesOf(account)),
    heldMail: sqliteHeldMail(outside),
    sending: sqliteSendingHistory(db),
    honest: sqliteHonestMail(db),
    neighbours: sqliteNetworkHistory(db),
    credentials: new SqliteCredentials(accountsDb, clock, uses),
    sessions: new SqliteSessions(accountsDb, uses),
    signedIn: sessionPages(accountsDb),
    factors: new SqliteFactors(accountsDb),
    rehearse: rehearsalOn(accountsDb),
    passkeys: new SqlitePasskeys(accountsDb),
    accounts: new SqliteAccounts(accountsDb),
    reach: new SqliteAliasReach(accountsDb),
    keyCounts: (most: number) => countKeys(accountsDb, most),
    book: new AccountLists(accountsDb),
    active: new SqliteActiveAccounts(accountsDb),
    files: new SqliteFileAccounts(accountsDb),
    ...own,
    countedForwards: new SqliteCountedForwards(accountsDb),
    recipients: new SqliteRecipients(accountsDb, clock),
    logins: new SqliteSenderLogins(accountsDb, uses),
    correspondents: sqliteCorrespondents(outside, accountsDb),
    senders: new SqliteSpamAllow(outside, accountsDb),
  } as const;
}

/** Reads only committed entries: others may never be. */
function committedFirst(entries: AuditEntries, flush: () => void): Pick<AuditEntries, "entries"> {
  return {
    entries: (asked) => {
      flush();
      return entries.entries(asked);
    },
  };
}
