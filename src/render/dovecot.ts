import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { RENDERED_BY, type RenderedFile, type Site } from "./site.ts";
import { dovecotTls } from "./tls.ts";

/** Dovecot 2.3: IMAP over TLS, LMTP and SASL for Postfix, users from accounts.db. All files are root's alone. */
export function renderDovecot(site: Site): readonly RenderedFile[] {
  return [
    { name: "dovecot.conf", text: dovecotConf(site), mode: 0o600 },
    { name: "accounts.conf", text: accountsConf(site), mode: 0o600 },
  ];
}

function accountsConf({ layout, mailUser }: Site): string {
  const home = `'${layout.mail}/%d/%n' AS home, ${mailUser.uid} AS uid, ${mailUser.gid} AS gid`;
  return `# ${RENDERED_BY}
driver = sqlite
connect = ${layout.accountsDb}
password_query = SELECT user, password FROM passdb WHERE user = '%u'
user_query = SELECT ${home} FROM userdb WHERE user = '%u'
iterate_query = SELECT user AS username FROM userdb
`;
}

function dovecotConf(site: Site): string {
  const { layout, ports, mailUser } = site;
  const accounts = join(dirname(layout.dovecotConf), "accounts.conf");
  const postfixPrivate = join(layout.postfixQueue, "private");
  return `# ${RENDERED_BY}
base_dir = ${layout.dovecotBase}
state_dir = ${join(layout.data, "lib", "dovecot")}
instance_name = ghostinbox
log_path = ${layout.mailLog}
protocols = imap lmtp
listen = ${site.ipv6 ? "*, ::" : "*"}
login_greeting = Ready.

${dovecotTls(site)}
disable_plaintext_auth = yes

auth_mechanisms = plain login
auth_username_format = %Lu
passdb {
  driver = sql
  args = ${accounts}
}
userdb {
  driver = sql
  args = ${accounts}
}

# The guard is asked before, and told after, each login. Without an answer the login goes on.
auth_policy_server_url = http://127.0.0.1:${ports.loginPolicy}/
auth_policy_server_api_header = Authorization: Bearer ${site.loginPolicySecret}
auth_policy_server_timeout_msecs = 2000
auth_policy_hash_nonce = ${nonce(site.loginPolicySecret)}
auth_policy_check_after_auth = no
auth_policy_reject_on_fail = no

mail_home = ${layout.mail}/%d/%n
mail_location = maildir:~/Maildir
mail_uid = ${mailUser.uid}
mail_gid = ${mailUser.gid}
first_valid_uid = ${mailUser.uid}
recipient_delimiter = +
mail_max_userip_connections = 20
protocol lmtp {
  mail_plugins = $mail_plugins sieve
  postmaster_address = postmaster@${site.domains[0] ?? site.hostname}
  hostname = ${site.hostname}
}
plugin {
  # First what the filter called spam, then the user's own script.
  sieve_before = ${join(layout.sieve, "junk.sieve")}
  sieve = file:~/sieve;active=~/.dovecot.sieve
}
namespace inbox {
  inbox = yes
  mailbox Drafts {
    special_use = \\Drafts
    auto = subscribe
  }
  mailbox Junk {
    special_use = \\Junk
    auto = subscribe
  }
  mailbox Sent {
    special_use = \\Sent
    auto = subscribe
  }
  mailbox Trash {
    special_use = \\Trash
    auto = subscribe
  }
}

service imap-login {
  process_limit = 400
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${ports.imaps}
    ssl = yes
  }
}
service lmtp {
  unix_listener ${postfixPrivate}/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
service auth {
  unix_listener ${postfixPrivate}/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service auth-worker {
  user = dovecot
  extra_groups = ghostinbox-accounts
}
# Dovecot's own delays by address would add to the guard's.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`;
}

/** Salts the hashes by which the guard tells passwords apart: stable, and unknown to anyone without the secret. */
function nonce(secret: string): string {
  return createHash("sha256").update(`password hashes of ${secret}`).digest("hex").slice(0, 32);
}
