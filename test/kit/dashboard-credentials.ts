import type { DatabaseSync } from "node:sqlite";
import type { CommandParts } from "../../src/guard/commands/carry-out.ts";
import type { Clock } from "../../src/guard/ports.ts";
import { AccountSearch } from "../../src/store/accounts-db/account-search.ts";
import { SqliteAppPasswords } from "../../src/store/accounts-db/app-passwords.ts";
import { Credentials, SqliteCredentials } from "../../src/store/accounts-db/credentials.ts";
import { SqliteFactors, SqlitePasskeys } from "../../src/store/accounts-db/factors.ts";
import { SqliteForwards } from "../../src/store/accounts-db/forwards.ts";
import { SqliteActiveAccounts } from "../../src/store/accounts-db/mail-lookups.ts";
import { SqliteSessions, sessionPages } from "../../src/store/accounts-db/sessions.ts";
import { SqliteVacations } from "../../src/store/accounts-db/vacations.ts";
import { PasswordTurns } from "../../src/store/passwords/password-turns.ts";
import { rehearsalOn } from "../../src/store/transactions.ts";

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
