import { SqliteAccountNetworks } from "../../adapters/sqlite/accounts-db/account-networks.ts";
import { SqliteAccounts } from "../../adapters/sqlite/accounts-db/accounts.ts";
import { SqliteActiveAccounts } from "../../adapters/sqlite/accounts-db/active-accounts.ts";
import { SqliteCredentials } from "../../adapters/sqlite/accounts-db/admin.ts";
import { SqliteFileAccounts } from "../../adapters/sqlite/accounts-db/file-accounts.ts";
import { SqliteSpamAllow } from "../../adapters/sqlite/accounts-db/spam-allow.ts";
import { betweenTransactions } from "../../adapters/sqlite/between-transactions.ts";
import { SqliteAccountHistory } from "../../adapters/sqlite/engine-db/account-history.ts";
import { SqliteBanLog } from "../../adapters/sqlite/engine-db/ban-log.ts";
import { SqliteCorrespondents } from "../../adapters/sqlite/engine-db/correspondents.ts";
import { EventCount } from "../../adapters/sqlite/engine-db/event-count.ts";
import { SqliteHeldMail } from "../../adapters/sqlite/engine-db/held-mail.ts";
import { SqliteHonestMail } from "../../adapters/sqlite/engine-db/honest-mail.ts";
import { initialise } from "../../adapters/sqlite/engine-db/initialise.ts";
import { SqliteNetworkHistory } from "../../adapters/sqlite/engine-db/network-history.ts";
import { SqliteRecipients } from "../../adapters/sqlite/engine-db/recipients.ts";
import { SqliteSenderLogins } from "../../adapters/sqlite/engine-db/sender-logins.ts";
import { SqliteSendingHistory } from "../../adapters/sqlite/engine-db/sending-history.ts";
import { SqliteStore } from "../../adapters/sqlite/engine-db/store.ts";
import { openAccountsForReading } from "../../adapters/sqlite/open.ts";
import type { Clock } from "../../engine/ports.ts";
import type { Layout } from "../../settings/layout.ts";

export type Stores = ReturnType<typeof composeStores>;

/**
 * Everything that reads and writes the two databases. The guard alone writes them. `flush` commits what the engine has
 * open, before a command writes by itself.
 */
export function composeStores(layout: Layout, clock: Clock, flush: () => void) {
  const { engine: db, accounts: accountsDb } = initialise(layout);
  const events = new EventCount(db);
  const outside = betweenTransactions(db, flush);
  return {
    db,
    accountsDb,
    accountsReader: openAccountsForReading(layout.accountsDb),
    events,
    store: new SqliteStore(db, events),
    banLog: new SqliteBanLog(db),
    history: new SqliteAccountHistory(db),
    heldMail: new SqliteHeldMail(outside),
    sending: new SqliteSendingHistory(db),
    honest: new SqliteHonestMail(db),
    neighbours: new SqliteNetworkHistory(db),
    credentials: new SqliteCredentials(outside, clock),
    accounts: new SqliteAccounts(accountsDb),
    active: new SqliteActiveAccounts(accountsDb),
    files: new SqliteFileAccounts(accountsDb),
    networks: new SqliteAccountNetworks(accountsDb),
    recipients: new SqliteRecipients(accountsDb, clock),
    logins: new SqliteSenderLogins(accountsDb),
    acquaintances: new SqliteCorrespondents(outside, accountsDb),
    senders: new SqliteSpamAllow(outside, accountsDb),
  } as const;
}
