import { dirname, join } from "node:path";
import { USERS } from "../../settings/layout.ts";
import { type RenderedFile, rendered, type Site } from "../configuration/site.ts";
import { JUNK_HEADER } from "../rspamd/rules.ts";

/**
 * The view of accounts.db with the Sieve script of each account (`user`, `name`, `id`, `script`). `name`: to whom the script replies,
 * `proven` senders or `any`.
 */
export const SCRIPT_VIEW = "account_script";

const DICT = "scripts";
const FILE = "scripts-dict.conf";
/** Pigeonhole's own default, made explicit: the maximum number of mails that one mail may become. */
const REDIRECTS = 4;

/** For `plugin { }`: the script for spam, then the account's script of accounts.db (`scriptColumn`), then the user's own script. */
export function sievePlugin({ layout }: Site): string {
  return `  sieve_before = ${join(layout.sieve, "junk.sieve")}
  sieve = file:~/sieve;active=~/.dovecot.sieve
  # The user who redirects is the envelope sender: SPF passes, and bounces return to that user.
  sieve_redirect_envelope_from = recipient
  sieve_max_redirects = ${REDIRECTS}`;
}

/** A column of the userdb: the account's script; null if it has none. If senders are verified, only proven ones get a reply. */
export function scriptColumn({ verify }: Site): string {
  const script = verify ? "proven" : "any";
  const has = `${SCRIPT_VIEW}.user = userdb.user AND name = '${script}'`;
  return `(SELECT 'dict:proxy::${DICT};name=${script}' FROM ${SCRIPT_VIEW} WHERE ${has}) AS sieve_before2`;
}

/** Dovecot reads an account's script from accounts.db, so that each change takes effect at once. */
export function scriptDict({ layout }: Site): string {
  return `dict {
  ${DICT} = sqlite:${join(dirname(layout.dovecotConf), FILE)}
}
service dict {
  extra_groups = ${USERS.accountsGroup}
  unix_listener dict {
    mode = 0600
    user = ${USERS.mail}
  }
}`;
}

/** Pigeonhole asks for the id of a script by its name, and for its text by the id. The process that reads this does not run as root. */
export function renderScriptDict({ layout }: Site): RenderedFile {
  const map = (directory: string, key: string, value: string): string => `map {
  pattern = priv/sieve/${directory}/$${key}
  table = ${SCRIPT_VIEW}
  username_field = user
  value_field = ${value}
  fields {
    ${key} = $${key}
  }
}
`;
  const maps = map("name", "name", "id") + map("data", "id", "script");
  return rendered(FILE, `connect = ${layout.accountsDb}\n${maps}`);
}

/** The first script of each account (RFC 5228): what SpamAssassin or Rspamd (`JUNK_HEADER`) has marked goes to Junk. */
export function renderSieve(): RenderedFile {
  const text = `require ["fileinto", "mailbox"];
if anyof (header :is "X-Spam-Flag" "YES", exists "${JUNK_HEADER}") {
  fileinto :create "Junk";
  stop;
}
`;
  return rendered("junk.sieve", text);
}
