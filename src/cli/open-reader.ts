import type { DatabaseSync } from "node:sqlite";
import { countKeys, hasKeys, readKeys } from "../adapters/sqlite/accounts-db/account-keys.ts";
import { AccountLists } from "../adapters/sqlite/accounts-db/accounts.ts";
import { Credentials } from "../adapters/sqlite/accounts-db/admin.ts";
import { readAppPasswords } from "../adapters/sqlite/accounts-db/app-passwords.ts";
import { readForwarding } from "../adapters/sqlite/accounts-db/forwards.ts";
import { readVacation } from "../adapters/sqlite/accounts-db/vacations.ts";
import { SqliteAccountHistory } from "../adapters/sqlite/engine-db/account-history.ts";
import { SqliteHeldMail } from "../adapters/sqlite/engine-db/held-mail.ts";
import { openAccountsForReading, openEngineForReading, UnusableDatabase } from "../adapters/sqlite/open.ts";
import { AuditEntries } from "../adapters/sqlite/read/audit-entries.ts";
import { SqliteQueries } from "../adapters/sqlite/read/queries.ts";
import { LastSignIns, newPlaces } from "../adapters/sqlite/read/sign-ins.ts";
import { RecordedEvents } from "../adapters/sqlite/replay/recorded-events.ts";
import type { EventRecord } from "../core/events/record.ts";
import type { Millis } from "../core/time.ts";
import { vacationItem } from "../engine/commands/accounts/vacation.ts";
import { accountState } from "../engine/explain/account-state.ts";
import type { Layout } from "../settings/layout.ts";
import { type CommandFailure, failed, PROGRAM } from "./call.ts";
import type { Reader } from "./reader.ts";

type Opened = Readonly<{ ok: true; reader: Reader; close: () => void }>;

/** Opens the databases for reading. The caller has checked that the guard runs. */
export function openReader(layout: Layout): Opened | CommandFailure {
  try {
    const engine = openEngineForReading(layout.engineDb);
    const accounts = openAccountsForReading(layout.accountsDb);
    const lists = new AccountLists(accounts);
    const history = new SqliteAccountHistory(engine);
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
        accountState: (name, policy, now) => accountState({ history, heldMail, policy }, name, now),
        aliases: (asked) => lists.aliases(asked),
        access: (name) => ({ addresses: lists.addressesOf(name), lastSignIn: signIns.of(name) }),
        accountPassword: (name) => lists.password(name),
        appPasswords: (name) => readAppPasswords(accounts, name),
        forwarding: (name) => readForwarding(accounts, name),
        vacation: (name) => vacationItem(readVacation(accounts, name)),
        accountKeys: (name) => readKeys(accounts, name),
        hasAccountKeys: () => hasKeys(accounts),
        countKeys: (most) => countKeys(accounts, most),
        dashboardPassword: () => credentials.adminPasswordHash(),
        tokens: (asked) => credentials.tokens(asked),
        get audit() {
          return new AuditEntries(engine);
        },
        newPlaces: (account, since) => newPlaces(engine, account, since),
        records: (since) => recordsSince(engine, since),
        replay: async (asked) => (await import("../daemon/web/run-replay.ts")).runReplay(engine, asked),
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
