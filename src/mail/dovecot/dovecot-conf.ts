import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { PASSWORD_SALT_BYTES, PASSWORD_TAG_BYTES, printArgon2id } from "../../core/access/passwords.ts";
import { shareOfOneClient } from "../../core/firewall/connection-shares.ts";
import { USERS } from "../../settings/layout.ts";
import { SIEVE_MAIL_ADDRESS } from "../../settings/ports.ts";
import { type RenderedFile, rendered, type Site } from "../configuration/site.ts";
import { dovecotTls } from "../configuration/tls.ts";
import { DECODED_IN_MEMORY } from "../logs/log-line.ts";
import { BUSY_SECONDS } from "../postfix/milters.ts";
import { learnPlugin, learnService, renderLearn } from "../spamassassin/learn-spam.ts";
import { policyNonce } from "./login-policy.ts";
import { mailCryptParts } from "./mail-crypt.ts";
import { folderLimitPlugin } from "./maildirs.ts";
import { quotaPlugin, quotaServices, renderQuotaWarning } from "./quota.ts";
import { renderScriptDict, scriptColumn, scriptDict, sievePlugin } from "./sieve.ts";

/** In a separate file, so that Dovecot names the owner's line if it refuses one. */
const OWNERS_FILE = "own.conf";

/** In a cache, these fields of a malicious mail take twenty times its size. No quota counts caches, so one account could fill the disk. */
const LONGER_THAN_MAIL = ["imap.envelope", "imap.body", "imap.bodystructure", "mime.parts", "binary.parts"];

/**
 * Dovecot 2.3: IMAP over TLS, LMTP and SASL for Postfix, users from accounts.db. Only root can read its configuration, except the file for
 * the `dict` process, which does not run as root (`renderScriptDict`).
 */
export function renderDovecot(site: Site): readonly RenderedFile[] {
  return [
    rendered("dovecot.conf", dovecotConf(site), 0o600),
    rendered("accounts.conf", accountsConf(site), 0o600),
    { name: OWNERS_FILE, text: site.ownDovecot, mode: 0o600 },
    renderAppPasswords(site),
    renderScriptDict(site),
    renderQuotaWarning(site),
    renderLearn(site),
  ];
}

/** Reads the views of store/accounts-db/schema.ts. */
function accountsConf(site: Site): string {
  const { layout, mailUser } = site;
  const { publicKey, noPublicKey } = mailCryptParts(site);
  const owner = `${mailUser.uid} AS uid, ${mailUser.gid} AS gid`;
  const own = `user, '${layout.mail}/%d/%n' AS home, ${owner}, quota_rule, ${scriptColumn(site)}${publicKey}`;
  const [local, domain] = ["substr(user, 1, instr(user, '@') - 1)", "substr(user, instr(user, '@') + 1)"];
  const behind = `user, '${layout.mail}/' || ${domain} || '/' || ${local} AS home, ${owner}, quota_rule, NULL${noPublicKey}`;
  return `driver = sqlite
connect = ${layout.accountsDb}
password_query = ${passwordQuery(site)}
# quota-status, which reports full mailboxes to Postfix, also knows aliases, but no account whose mail is not stored.
user_query = SELECT ${own} FROM userdb WHERE user = '%u' AND ('%s' <> 'quota-status' OR EXISTS (SELECT 1 FROM stored WHERE stored.user = userdb.user)) UNION ALL SELECT ${behind} FROM alias_userdb WHERE address = '%u' AND '%s' = 'quota-status'
iterate_query = SELECT user AS username FROM userdb
`;
}

function dovecotConf(site: Site): string {
  const { layout, ports, proxied, mailUser } = site;
  const crypt = mailCryptParts(site);
  const accounts = join(dirname(layout.dovecotConf), "accounts.conf");
  const postfixPrivate = join(layout.postfixQueue, "private");
  return `base_dir = ${layout.dovecotBase}
state_dir = ${join(layout.data, "lib", "dovecot")}
instance_name = ghostinbox
log_path = ${layout.mailLog}
# Without the Message-ID, which Dovecot would write as its sender chose it. Postfix logs it in plain characters.
deliver_log_format = %$
# A name with anything but visible ASCII characters is logged as "?", because a terminal could obey them.
login_log_format_elements = user=<%{if;%u;~;^[!-~]*$;%u;?}> method=%m rip=%r lip=%l mpid=%e %c session=<%{session}>
protocols = imap lmtp
default_client_limit = ${clientLimit(site)}
# Each delivery occupies a process of lmtp and one of dict. Deliveries that find none free fail.
default_process_limit = ${processLimit(site)}
listen = ${site.ipv6 ? "*, ::" : "*"}
login_greeting = Ready.
${proxied === null ? "" : `# Connections from anyone else to a proxy port are closed.\nhaproxy_trusted_networks = ${proxied.networks.join(" ")}\n`}
${dovecotTls(site)}
disable_plaintext_auth = yes

auth_mechanisms = plain login
auth_username_format = %Lu
${appPassdb(site)}passdb {
  driver = sql
  args = ${accounts}${crypt.passdb}
}
userdb {
  driver = sql
  args = ${accounts}
}

# Dovecot asks the guard before each login, and reports each afterwards. Without an answer the login fails. Postfix waits 10 s for
# Dovecot, and then asks the client to try again.
auth_policy_server_url = http://127.0.0.1:${ports.loginPolicy}/
auth_policy_server_api_header = Authorization: Bearer ${site.loginPolicySecret}
auth_policy_server_timeout_msecs = 12000
${requestAttributes(proxied !== null)}
auth_policy_hash_nonce = ${policyNonce(site.loginPolicySecret)}
auth_policy_check_after_auth = no
auth_policy_reject_on_fail = yes

mail_home = ${layout.mail}/%d/%n
mail_location = maildir:~/Maildir
mail_uid = ${mailUser.uid}
mail_gid = ${mailUser.gid}
# When a mail arrived in its folder, for retention. The Maildir itself loses this time with each backup, which hard-links its files.
mail_always_cache_fields = date.save
mail_never_cache_fields = ${[...crypt.uncached, ...LONGER_THAN_MAIL].join(" ")}
first_valid_uid = ${mailUser.uid}
recipient_delimiter = +
mail_max_userip_connections = ${Math.ceil(Math.min(shareOfOneClient(site.limits.imapPlaces), site.limits.connectionsOfKnown) / 2)}
mail_plugins = $mail_plugins quota${crypt.plugin}
protocol imap {
  # Does not exist, so that sessions decode mails in memory, which is bounded. In a file each could store a copy of the largest mail.
  mail_temp_dir = ${join(dirname(layout.dovecotConf), DECODED_IN_MEMORY)}
  mail_plugins = $mail_plugins imap_quota acl${site.spam.runs ? " imap_sieve" : ""}
}
protocol lmtp {
  mail_plugins = $mail_plugins sieve
  postmaster_address = postmaster@${site.domains[0] ?? site.hostname}
  hostname = ${site.hostname}
  # Where mail sent by scripts goes: sendmail(1) would not find our queue.
  submission_host = ${SIEVE_MAIL_ADDRESS}:${ports.sieveMail}
  # Longer than Postfix waits for Rspamd. Otherwise a mail that Postfix accepts later would be sent again with the next try.
  submission_timeout = ${BUSY_SECONDS + 30}s
}
# For a mail that was already accepted when the mailbox became full.
quota_full_tempfail = yes
plugin {
${quotaPlugin(site)}
${folderLimitPlugin(layout)}
${sievePlugin(site)}
${learnPlugin(site)}
}
${crypt.settings}namespace inbox {
  inbox = yes
${["Archive", "Drafts", "Junk", "Sent", "Trash"].map(specialFolder).join("")}}

service imap {
  process_limit = ${Math.max(DEFAULT_IMAP_PROCESSES, site.limits.imapPlaces)}
  vsz_limit = ${Math.max(DEFAULT_VSZ_BYTES, DECODING * site.messageSizeBytes)}B
  # Sign-ins and deliveries come first: searches in hundreds of sessions of one user would delay them by minutes. With a higher value
  # hundreds of sign-ins would delay the start of IMAP sessions by half a minute.
  executable = /usr/bin/nice -n 5 /usr/lib/dovecot/imap
}
service imap-login {
  process_limit = ${site.limits.imapPlaces}
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${ports.imaps}
    ssl = yes
  }
${proxied === null ? "" : proxiedImaps(proxied.ports.imaps)}}
service lmtp {
  # Dovecot's default socket accepts mail from every local user, bypassing Postfix and the guard.
  unix_listener lmtp {
    mode = 0
  }
  unix_listener ${postfixPrivate}/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
${quotaServices(site)}
${learnService(site)}
${scriptDict(site)}
# By default any local user may connect to these. They reveal which accounts exist, or are unused here.
${socketOf("indexer", "indexer", "0")}
${socketOf("imap-urlauth-login", "imap-urlauth", "0")}
${socketOf("dns-client", "dns-client", "0600")}
# With the default, 256 MiB, Dovecot cannot verify an imported Argon2 hash that needs as much, and refuses the right password.
service auth {
  vsz_limit = 1G
  unix_listener auth-userdb {
    mode = 0600
  }
  unix_listener ${postfixPrivate}/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service auth-worker {
  vsz_limit = 1G
  user = dovecot
  extra_groups = ${USERS.accountsGroup}
}
# Dovecot's own delays by address would add to the guard's.
${socketOf("anvil", "anvil-auth-penalty", "0")}
!include ${OWNERS_FILE}
`;
}

/** With mode 0 a service does not listen there; otherwise only root may connect. */
function socketOf(service: string, socket: string, mode: "0" | "0600"): string {
  return `service ${service} {\n  unix_listener ${socket} {\n    mode = ${mode}\n  }\n}`;
}

/** A folder by the name of its special use (RFC 6154). */
function specialFolder(name: string): string {
  return `  mailbox ${name} {
    special_use = \\${name}
    auto = subscribe
  }
`;
}

/** Dovecot's own defaults: default_client_limit, default_process_limit, and process_limit of `service imap`. */
const DEFAULT_CLIENTS = 1_000;
const DEFAULT_PROCESSES = 100;
const DEFAULT_IMAP_PROCESSES = 1_024;
/** Dovecot's default_vsz_limit. The buffer for a decoded mail has up to twice the mail's size, and is copied from one of half that size. */
const DEFAULT_VSZ_BYTES = 256 * 1024 ** 2;
const DECODING = 4;

function processLimit({ outbound }: Site): number {
  return Math.max(DEFAULT_PROCESSES, outbound.atOnce);
}

/**
 * Connections that one of Dovecot's services may have. `auth` has one from each login process and each smtpd that lets users sign in;
 * `stats` one from each login process and each open mailbox; both one from each delivery. Some are left for quota checks and commands. A
 * client that finds no free connection hangs.
 */
function clientLimit(site: Site): number {
  const { imapPlaces, smtpPlaces } = site.limits;
  const submissions = (site.proxied === null ? 2 : 4) * smtpPlaces;
  return Math.max(DEFAULT_CLIENTS, imapPlaces + Math.max(imapPlaces, submissions) + 2 * processLimit(site));
}

/** Dovecot's own attributes, the app password that was used, and behind a proxy the proxy's address (`peer`). */
function requestAttributes(isProxied: boolean): string {
  const own = "login=%{requested_username} pwhash=%{hashed_password} remote=%{rip} device_id=%{client_id} protocol=%s";
  const more = `session_id=%{session}${isProxied ? " peer=%{real_rip}" : ""} app=%{passdb:app}`;
  return `auth_policy_request_attributes = ${own} ${more}`;
}

function proxiedImaps(port: number): string {
  return `  inet_listener imaps_of_proxies {
    port = ${port}
    ssl = yes
    haproxy = yes
  }
`;
}

/**
 * A name that may not sign in, or does not exist, gets a hash of no known password that costs as much to verify as a real one. So neither
 * the time nor the text of an answer reveals which accounts exist.
 */
function passwordQuery(site: Site): string {
  const { keys, noKeys } = mailCryptParts(site);
  const real = `SELECT user, password, allow_nets${keys} FROM passdb WHERE user = '%u'`;
  const none = "WHERE NOT EXISTS (SELECT 1 FROM passdb WHERE user = '%u')";
  return `${real} UNION ALL SELECT '%u', '${decoy(site.loginPolicySecret)}', NULL${noKeys} ${none}`;
}

/** A hash that no known password matches: random to anyone without the secret, and stable across renderings. */
function decoy(secret: string): string {
  const bytes = createHash("sha512").update(`decoy of ${secret}`).digest();
  return printArgon2id(bytes.subarray(0, PASSWORD_SALT_BYTES), bytes.subarray(-PASSWORD_TAG_BYTES));
}

const APP_PASSWORDS_FILE = "app-passwords.conf";
const QUERY =
  "SELECT user, NULL AS password, 'Y' AS nopassword, app, allow_nets FROM app_passdb " +
  "WHERE user = '%u' AND digest = '%{sha256:password}' AND '%s' IN ('imap', 'smtp')";

/**
 * The passdb of app passwords, asked before that of accounts. A hit costs no slow hash. Any other password goes to the other passdb, so a
 * wrong one takes as long as without this one. If each account's key is locked with its password, no other password may sign in.
 */
function appPassdb({ mailCrypt, layout }: Site): string {
  if (mailCrypt?.byAccount === true) return "";
  return `passdb {\n  driver = sql\n  args = ${join(dirname(layout.dovecotConf), APP_PASSWORDS_FILE)}\n}\n`;
}

/**
 * Looks app passwords up in the view of store/accounts-db/app-passwords.ts, by the SHA-256 of the typed password, for mail programs only.
 * `app`: for the guard (auth_policy_request_attributes).
 */
function renderAppPasswords({ layout }: Site): RenderedFile {
  const text = `driver = sqlite\nconnect = ${layout.accountsDb}\npassword_query = ${QUERY}\n`;
  return rendered(APP_PASSWORDS_FILE, text, 0o600);
}
