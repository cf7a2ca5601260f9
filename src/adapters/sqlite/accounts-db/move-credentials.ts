import type { DatabaseSync } from "node:sqlite";
import { printScopes, type Scope } from "../../../core/access/scopes.ts";
import { integer, text } from "../columns.ts";
import { eraseCredentials, holdsNone, lastingly } from "./erase-credentials.ts";

type Open = Readonly<{ engine: DatabaseSync; accounts: DatabaseSync; engineDb: string }>;

const COULD: readonly Scope[] = ["read", "ban", "allow"];

/**
 * Earlier versions kept the dashboard's password and the tokens in `engine.db`, which the web reads. They come to
 * `accounts.db`, where these tokens may do what they could: read, ban and allow. What is left behind is erased. What
 * `engine.db` holds once `accounts.db` knows who administers is old, and only erased. Returns why something is left; else null.
 */
export function moveCredentials({ engine, accounts, engineDb }: Open): string | null {
  if (!holdsNone(engine) && isEmpty(accounts)) copy(engine, accounts);
  return eraseCredentials(engine, engineDb);
}

function copy(engine: DatabaseSync, accounts: DatabaseSync): void {
  const [admin, tokens] = [
    engine.prepare("SELECT key, value, changed_at FROM admin WHERE key = 'password'").all(),
    engine.prepare("SELECT name, digest, created_by, created_at FROM token").all(),
  ];
  const put = accounts.prepare("INSERT INTO admin (key, value, changed_at) VALUES (?, ?, ?)");
  const add = accounts.prepare(`
    INSERT INTO token (name, digest, created_by, created_at, scopes) VALUES (?, ?, ?, ?, ?)`);
  lastingly(accounts, () => {
    for (const row of admin) put.run(text(row["key"]), text(row["value"]), integer(row["changed_at"]));
    for (const row of tokens)
      add.run(
        text(row["name"]),
        text(row["digest"]),
        text(row["created_by"]),
        integer(row["created_at"]),
        printScopes(COULD),
      );
  });
}

function isEmpty(accounts: DatabaseSync): boolean {
  return accounts.prepare("SELECT 1 FROM admin UNION ALL SELECT 1 FROM token LIMIT 1").get() === undefined;
}
