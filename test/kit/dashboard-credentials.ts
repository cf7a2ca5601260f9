import type { DatabaseSync } from "node:sqlite";
import { PasswordTurns } from "../../src/adapters/accounts/password-turns.ts";
import { AccountSearch } from "../../src/adapters/sqlite/accounts-db/account-search.ts";
import { SqliteActiveAccounts } from "../../src/adapters/sqlite/accounts-db/active-accounts.ts";
import { Credentials, SqliteCredentials } from "../../src/adapters/sqlite/accounts-db/admin.ts";
import { SqliteAppPasswords } from "../../src/adapters/sqlite/accounts-db/app-passwords.ts";
import { SqliteFactors } from "../../src/adapters/sqlite/accounts-db/factors.ts";
import { SqliteForwards } from "../../src/adapters/sqlite/accounts-db/forwards.ts";
import { SqlitePasskeys } from "../../src/adapters/sqlite/accounts-db/passkeys.ts";
import { sessionPages } from "../../src/adapters/sqlite/accounts-db/session-pages.ts";
import { SqliteSessions } from "../../src/adapters/sqlite/accounts-db/sessions.ts";
import { SqliteVacations } from "../../src/adapters/sqlite/accounts-db/vacations.ts";
import { rehearsalOn } from "../../src/adapters/sqlite/rehearsal.ts";
import type { CommandParts } from "../../src/engine/commands/carry-out.ts";
import type { Clock } from "../../src/engine/ports.ts";

/** Who may use the dashboard and the API, as the guard stores it in `accounts.db`, and the accounts that they see. */
export function dashboardCredentials(accounts: DatabaseSync, clock: Clock) {
  const listed = new Credentials(accounts);
  return {
    credentials: new SqliteCredentials(accounts, clock),
    tokens: listed.tokens.bind(listed),
    sessions: new SqliteSessions(accounts),
    signedIn: sessionPages(accounts),
    factors: new SqliteFactors(accounts),
    hostname: () => "mail.example.org",
    mailPorts: () => ({ host: "mail.example.org", imapPort: 993, smtpPort: 465 }),
    rehearse: rehearsalOn(accounts),
    passkeys: new SqlitePasskeys(accounts),
    names: () => ["mail.example.test"],
    passwords: new PasswordTurns(),
    book: new AccountSearch(accounts),
    lastSignIn: () => null,
    appPasswords: new SqliteAppPasswords(accounts),
    forwards: new SqliteForwards(accounts),
    vacations: new SqliteVacations(accounts),
    secrets: {
      make: () => Promise.reject(new Error("the command line hashes its passwords itself")),
      proofOf: () => "",
    },
    mailboxes: () => ({ quotaBytes: 0, keyOfEach: false, maySignIn: true }),
    active: new SqliteActiveAccounts(accounts),
  } satisfies Partial<CommandParts>;
}
