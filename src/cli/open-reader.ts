import { AccountLists } from "../adapters/sqlite/accounts-db/accounts.ts";
import { Credentials } from "../adapters/sqlite/accounts-db/admin.ts";
import { SqliteAccountHistory } from "../adapters/sqlite/engine-db/account-history.ts";
import { SqliteHeldMail } from "../adapters/sqlite/engine-db/held-mail.ts";
import { openAccountsForReading, openEngineForReading, UnusableDatabase } from "../adapters/sqlite/open.ts";
import { SqliteQueries } from "../adapters/sqlite/read/queries.ts";
import { lastSignIn } from "../adapters/sqlite/read/sign-ins.ts";
import { accountState } from "../engine/explain/account-state.ts";
import type { Layout } from "../settings/layout.ts";
import { type CommandFailure, failed, PROGRAM } from "./call.ts";
import type { Reader } from "./reader.ts";
import { runReplay } from "./run-replay.ts";

/** Opens the databases for reading. The caller has made sure that the guard runs. */
export function openReader(layout: Layout): Readonly<{ ok: true; reader: Reader }> | CommandFailure {
  try {
    const engine = openEngineForReading(layout.engineDb);
    const accounts = openAccountsForReading(layout.accountsDb);
    const lists = new AccountLists(accounts);
    const history = new SqliteAccountHistory(engine);
    const heldMail = new SqliteHeldMail(engine);
    const credentials = new Credentials(engine);
    return {
      ok: true,
      reader: {
        queries: new SqliteQueries(engine),
        accounts: (asked) => {
          const page = lists.accounts(asked);
          return { ...page, items: page.items.map((row) => ({ ...row, lastSignInAt: lastSignIn(engine, row.name) })) };
        },
        account: (name) => lists.account(name),
        accountState: (name, policy, now) => accountState({ history, heldMail, policy }, name, now),
        aliases: (asked) => lists.aliases(asked),
        tokens: (asked) => credentials.tokens(asked),
        replay: (asked) => runReplay(engine, asked),
      },
    };
  } catch (error) {
    if (error instanceof UnusableDatabase) return failed(error.message, `\`${PROGRAM} status\` shows more.`);
    throw error;
  }
}
