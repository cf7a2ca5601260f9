import { countKeys } from "../../adapters/sqlite/accounts-db/account-keys.ts";
import { SqliteAccountNetworks } from "../../adapters/sqlite/accounts-db/account-networks.ts";
import { AccountSearch } from "../../adapters/sqlite/accounts-db/account-search.ts";
import { AccountLists, SqliteAccounts } from "../../adapters/sqlite/accounts-db/accounts.ts";
import { SqliteActiveAccounts } from "../../adapters/sqlite/accounts-db/active-accounts.ts";
import { Credentials, SqliteCredentials } from "../../adapters/sqlite/accounts-db/admin.ts";
import { SqliteAliasReach } from "../../adapters/sqlite/accounts-db/alias-reach.ts";
import { SqliteAppPasswords } from "../../adapters/sqlite/accounts-db/app-passwords.ts";
import { SqliteFactors } from "../../adapters/sqlite/accounts-db/factors.ts";
import { SqliteFileAccounts } from "../../adapters/sqlite/accounts-db/file-accounts.ts";
import { SqliteForwards } from "../../adapters/sqlite/accounts-db/forwards.ts";
import { NotedUses } from "../../adapters/sqlite/accounts-db/noted-uses.ts";
import { SqlitePasskeys } from "../../adapters/sqlite/accounts-db/passkeys.ts";
import { sessionPages } from "../../adapters/sqlite/accounts-db/session-pages.ts";
import { SqliteSessions } from "../../adapters/sqlite/accounts-db/sessions.ts";
import { SqliteSpamAllow } from "../../adapters/sqlite/accounts-db/spam-allow.ts";
import { SqliteVacations } from "../../adapters/sqlite/accounts-db/vacations.ts";
import { SqliteYoungForwards } from "../../adapters/sqlite/accounts-db/young-forwards.ts";
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
import { AuditEntries } from "../../adapters/sqlite/read/audit-entries.ts";
import { rehearsalOn } from "../../adapters/sqlite/rehearsal.ts";
import type { Clock } from "../../engine/ports.ts";
import type { Layout } from "../../settings/layout.ts";

export type Stores = ReturnType<typeof composeStores>;

/**
 * Everything that reads and writes the two databases. Only the guard writes them. `flush` commits the engine's open
 * transaction before a command writes.
 */
export function composeStores(layout: Layout, clock: Clock, flush: () => void) {
  const { engine: db, accounts: accountsDb } = initialise(layout);
  const events = new EventCount(db);
  const uses = new NotedUses();
  const outside = betweenTransactions(db, flush);
  const appPasswords = new SqliteAppPasswords(accountsDb, uses);
  return {
    db,
    accountsDb,
    events,
    store: new SqliteStore(db, events),
    audited: committedFirst(new AuditEntries(db), flush),
    banLog: new SqliteBanLog(db),
    appPasswords,
    history: new SqliteAccountHistory(db, (account) => appPasswords.proofsOf(account)),
    heldMail: new SqliteHeldMail(outside),
    sending: new SqliteSendingHistory(db),
    honest: new SqliteHonestMail(db),
    neighbours: new SqliteNetworkHistory(db),
    credentials: new SqliteCredentials(accountsDb, clock, uses),
    tokens: new Credentials(accountsDb),
    sessions: new SqliteSessions(accountsDb, uses),
    signedIn: sessionPages(accountsDb),
    factors: new SqliteFactors(accountsDb),
    rehearse: rehearsalOn(accountsDb),
    passkeys: new SqlitePasskeys(accountsDb),
    accounts: new SqliteAccounts(accountsDb),
    reach: new SqliteAliasReach(accountsDb),
    keyCounts: (most: number) => countKeys(accountsDb, most),
    accountLists: new AccountLists(accountsDb),
    book: new AccountSearch(accountsDb),
    active: new SqliteActiveAccounts(accountsDb),
    files: new SqliteFileAccounts(accountsDb),
    networks: new SqliteAccountNetworks(accountsDb),
    forwards: new SqliteForwards(accountsDb),
    youngForwards: new SqliteYoungForwards(accountsDb),
    vacations: new SqliteVacations(accountsDb),
    recipients: new SqliteRecipients(accountsDb, clock),
    logins: new SqliteSenderLogins(accountsDb, uses),
    acquaintances: new SqliteCorrespondents(outside, accountsDb),
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
