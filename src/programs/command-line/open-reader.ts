import type { DatabaseSync } from "node:sqlite";
import type { EventRecord } from "../../core/events/event.ts";
import type { Millis } from "../../core/time.ts";
import { accountState } from "../../guard/commands/accounts/account-state.ts";
import { RecordedEvents } from "../../jobs/replay/recorded-events.ts";
import type { Layout } from "../../settings/layout.ts";
import { countKeys, hasKeys, readKeys } from "../../store/accounts-db/account-keys.ts";
import { AccountLists } from "../../store/accounts-db/account-lists.ts";
import { getsRoleMail } from "../../store/accounts-db/account-networks.ts";
import { Credentials } from "../../store/accounts-db/credentials.ts";
import { readAccountSettings, readMailboxSettings } from "../../store/accounts-db/setting-tables.ts";
import { LastSignIns, newPlaces, SqliteAccountHistory } from "../../store/engine-db/account-history.ts";
import { SqliteHeldMail } from "../../store/engine-db/held-mail.ts";
import { SqliteQueries } from "../../store/engine-db/queries.ts";
import { AuditEntries } from "../../store/events/audit.ts";
import { openAccountsForReading, openEngineForReading, UnusableDatabase } from "../../store/open.ts";
import { type Failure, failed, PROGRAM, type Reader } from "../../surfaces/cli/call.ts";

type Opened = Readonly<{ ok: true; reader: Reader; close: () => void }>;

/** Opens the databases for reading. The caller has checked that the guard runs. */
export function openReader(layout: Layout): Opened | Failure {
  try {
    const engine = openEngineForReading(layout.engineDb);
    const accounts = openAccountsForReading(layout.accountsDb);
    const lists = new AccountLists(accounts);
    const guesses = new SqliteAccountHistory(engine);
    const heldMail = new SqliteHeldMail(engine);
    const signIns = new LastSignIns(engine);
    const credentials = new Credentials(accounts);
    return {
      ok: true,
      close: () => {
        engine.close();
        accounts.close();
      },
      reader: {
        queries: new SqliteQueries(engine),
        accounts: (asked) => {
          const page = lists.accounts(asked);
          return {
            ...page,
            items: page.items.map((row) => ({ ...row, lastSignInAt: signIns.of(row.name)?.at ?? null })),
          };
        },
        account: (name) => lists.account(name),
        accountState: (name, policy, now) => accountState({ engine: { policy }, guesses, heldMail }, name, now),
        aliases: (asked) => lists.aliases(asked),
        access: (name) => ({ addresses: lists.sendersOf(name), lastSignIn: signIns.of(name) }),
        accountPassword: (name) => lists.password(name),
        settings: (name) => readAccountSettings(accounts, name),
        own: (name) => readMailboxSettings(accounts, name),
        accountKeys: (name) => readKeys(accounts, name),
        hasAccountKeys: () => hasKeys(accounts),
        getsRoleMail: (name) => getsRoleMail(accounts, name),
        countKeys: (most) => countKeys(accounts, most),
        dashboardPassword: () => credentials.adminPasswordHash(),
        tokens: (asked) => credentials.tokens(asked),
        get audit() {
          return new AuditEntries(engine);
        },
        newPlaces: (account, since) => newPlaces(engine, account, since),
        records: (since) => recordsSince(engine, since),
        replay: async (asked) => (await import("../../jobs/replay/run-replay.ts")).runReplay(engine, asked),
      },
    };
  } catch (error) {
    if (error instanceof UnusableDatabase) return failed(error.message, `\`${PROGRAM} status\` shows more.`);
    throw error;
  }
}

function* recordsSince(engine: DatabaseSync, since: Millis): Generator<EventRecord> {
  const recorded = new RecordedEvents(engine);
  for (const { record } of recorded.between(recorded.firstSince(since), recorded.last()))
    if (record !== null) yield record;
}
