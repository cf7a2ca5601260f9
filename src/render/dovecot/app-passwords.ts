import { dirname, join } from "node:path";
import { RENDERED_BY, type RenderedFile, type Site } from "../site.ts";

const FILE = "app-passwords.conf";
const QUERY =
  "SELECT user, NULL AS password, 'Y' AS nopassword, app, allow_nets FROM app_passdb " +
  "WHERE user = '%u' AND digest = '%{sha256:password}' AND '%s' IN ('imap', 'smtp')";

/**
 * The passdb of passwords for single mail programs, asked before that of accounts: a hit costs no slow hash, and a password that
 * matches none goes to the other passdb, so a wrong password takes as long as without this one. If each account's key is locked with
 * its password, no other password may sign in.
 */
export function appPassdb({ mailCrypt, layout }: Site): string {
  if (mailCrypt?.byAccount === true) return "";
  return `passdb {\n  driver = sql\n  args = ${join(dirname(layout.dovecotConf), FILE)}\n}\n`;
}

/** Looks them up by the SHA-256 of the typed password, for mail programs only. `app`: for the guard (auth_policy_request_attributes). */
export function renderAppPasswords({ layout }: Site): RenderedFile {
  const text = `# ${RENDERED_BY}
driver = sqlite
connect = ${layout.accountsDb}
password_query = ${QUERY}
`;
  return { name: FILE, text, mode: 0o600 };
}
