/**
 * Conditions that the owner should know while they last. A code is never renamed or reused: the API and scripts depend
 * on them.
 */
export type NoticeText = Readonly<{
  /** What is wrong, and what it means for the mail. */
  says: string;
  /** What to do. */
  next: string;
}>;

/** Only this many of a notice's newest subjects, which come last, open alerts. */
export const MOST_ABOUT = 20;
/** With this many open alerts of one notice, only its newest subject opens another, to leave room for other notices. */
export const MOST_ABOUT_OPEN = 2 * MOST_ABOUT;

const RESTARTED = "It is restarted automatically; if that does not help, try the command in the detail and see";

const ofGuard = {
  database_unwritable: {
    says: "The database cannot be written: nothing new is counted or banned.",
    next: "Free space on the disk of the data directory, or look at the guard's log.",
  },
  database_unflushed: {
    says: "The disk does not flush what was written: a power failure would lose the newest records and commands.",
    next: "Run `dmesg`: it shows what is wrong with the disk; `smartctl` (package smartmontools) shows more. Afterwards, check the commands that failed or timed out.",
  },
  database_log_held: {
    says: "A program never stops reading the database, so its write-ahead log keeps growing.",
    next: "End the program that has engine.db open: `status` names it (database_reader). At 1 GB, recording stops.",
  },
  database_set_aside: {
    says: "A database was damaged, replaced or missing: the server rebuilt it from what could be saved, and set the old file aside.",
    next: "See docs/recovery.md for what may be missing. Once you do not need the old files, remove them with the command in the detail.",
  },
  database_unsaved: {
    says: "A file of an open database was deleted or damaged, and could not be saved: its data may be lost when the server stops.",
    next: "Do not stop the server. Fix what the detail names, such as a missing directory or a full disk; the server retries at least each minute.",
  },
  sign_ins_blocked: {
    says: "No one can sign in: another program has the port on which Dovecot asks the guard about sign-ins. Mail from others is not affected.",
    next: "End the program that has the port, as the detail says; the server retries each second.",
  },
  domain_missing: {
    says: "Accounts or aliases have a domain that is not in `domains`: other servers keep retrying mail for them for some days; mail from your users, or through aliases, goes where the DNS says or waits here.",
    next: "Add the domain to `domains`, then run `config apply`; or remove these accounts and aliases.",
  },
  dns_failing: {
    says: "The DNS does not answer questions about the server's own domain. If other names fail too, mail to other servers waits, and mail from them may be deferred.",
    next: "Run `check --only dns`. Check that outgoing port 53 (UDP and TCP) is open, that the clock is right, and that the domain's name servers work; log/unbound has details.",
  },
  export_failing: {
    says: "Events do not reach the receiver of `export.syslog`. It gets them later, but not what the server has removed by then (events.max_age, events.max_rows, events.max_size).",
    next: "Fix what the detail names; see log/export and docs/siem.md. The exporter retries each minute; a loss is shown for a day.",
  },
  accounts_uncopied: {
    says: "The accounts could not be copied: if accounts.db is damaged now, the newest changes are lost.",
    next: "Free space on the disk of the data directory; the server retries each second.",
  },
  engine_undigested: {
    says: "The digest of engine.db could not be written: if engine.db is lost now, the newest changes of bans and lists are lost.",
    next: "Free space on the disk of the data directory; the server retries each minute.",
  },
  dashboard_password_unset: {
    says: "The dashboard has no password, so you cannot sign in: accounts.db was created again.",
    next: "Set one with `admin passwd`, and create the tokens of your scripts again: `token list` shows those that exist.",
  },
  recovery_codes_few: {
    says: "Few recovery codes of the dashboard are left: without the phone and without a code you can get in only from the console.",
    next: "Make new ones on the dashboard under System › Security.",
  },
  accounts_unwritable: {
    says: "Changed settings could not be written to accounts.db: the previous domains, blocked recipients and sign-in networks stay in force.",
    next: "See what else `status` shows: a full disk, or another program's lock. The server retries every 5 seconds.",
  },
  maintenance_down: {
    says: "The guard's maintenance process is not running: decisions sometimes wait for the disk.",
    next: "See the guard's log; the process is restarted automatically.",
  },
  firewall_unavailable: {
    says: "The firewall cannot be used: Postfix and Dovecot refuse banned addresses instead.",
    next: "Give the guard CAP_NET_ADMIN and install nftables; the guard retries automatically.",
  },
  firewall_lost: {
    says: "Another program removed or changed the firewall's table of bans: it was rebuilt within seconds.",
    next: "Find what did it, such as a restart of nftables, another firewall, or a script that flushes the ruleset; the notice ends ten minutes after the last time.",
  },
  ports_blocked: {
    says: "Another rule of this machine's firewall drops whatever comes to a mail port: senders and users get no answer.",
    next: "The command in the detail shows all rules: find the rule of another table that drops the port, and accept the port there.",
  },
  connections_uncounted: {
    says: "The kernel cannot count connections: programs of this machine may hold any number of them, and while the guard is down, so may every address.",
    next: "Use a kernel with the module nft_connlimit; Postfix limits its own ports in any case.",
  },
  tracking_full: {
    says: "The kernel's table of tracked connections is nearly full: once it is full, new connections are dropped, while open ones continue.",
    next: "Make it larger with the command in the detail, and in /etc/sysctl.d for the next start.",
  },
  ports_crowded: {
    says: "Two thirds of the connections that a mail port can serve are taken: the guard ends idle ones of strangers, and others only when almost none are left.",
    next: "Nothing if the detail names only addresses that you know: known places have reserved connections. `ban NETWORK` keeps an address out.",
  },
  dnsbl_set_aside: {
    says: "A DNS block list does not answer or gives wrong answers, and is not used for now: mail is accepted without it.",
    next: "If it does not recover, the list may require an account; otherwise remove it from dnsbl.zones. It is tested again automatically.",
  },
  clock_jumped: {
    says: "The machine's clock was changed by more than 10 s. Bans, limits and sessions keep using the old time for five minutes, then the new time.",
    next: "If the new time is wrong, correct it with the command in the detail. If it is right, do nothing.",
  },
  events_aggregated: {
    says: "The limit of recorded events is reached: the oldest were removed, and only their hourly sums are kept.",
    next: "Bans and limits still hold. Raise events.max_rows and events.max_size to keep more events.",
  },
  keeper_unreachable: {
    says: "The keeper does not answer: new configuration is not applied, sessions of an account are not ended, and nothing notices or restarts a service that fails.",
    next: "See the keeper's log; `status` shows whether it runs.",
  },
  all_clients_private: {
    says: "All clients seem to come from one private address, so attackers and users cannot be distinguished.",
    next: "Let the proxy or the container network pass on the clients' real addresses.",
  },
  bans_in_force: {
    says: "Many addresses are banned at the same time.",
    next: "An attack may be under way: `bans` lists them with their reasons, and `unban IP` lifts one. alerts.thresholds.bans_in_force sets how many are normal on your server.",
  },
  bans_leak: {
    says: "A banned address still reaches a mail server, although the firewall has its ban.",
    next: "The guard has rebuilt its table. If this continues, run `check --only firewall`.",
  },
  detector_unread: {
    says: "The log of Suricata or psad cannot be read: what it reports goes unnoticed.",
    next: "Create the file in the detail or let the user ghostinbox read it, also after each rotation (docs/intrusion-detection.md), or empty its setting.",
  },
  simulating: {
    says: "The settings say `simulate`: everything is decided and recorded, but nothing is refused and no address is banned.",
    next: "See `events` for what would have happened. Remove `simulate` from the settings, then run `config apply`.",
  },
  proxy_not_trusted: {
    says: "Requests to the dashboard or the API come through a proxy that the settings do not name: they count against the proxy, not against their clients.",
    next: "If the address in the detail is your proxy, and it sets `X-Forwarded-For` or appends to it, add it to `http.trusted_proxies`, or the user that the detail names to `http.proxy_users`, then run `config apply`. Do not add anything that only forwards connections, such as Docker or a NAT: any client behind it could fake its address.",
  },
  alerts_undelivered: {
    says: "A channel or the heartbeat fails: nothing sent through it arrives.",
    next: "Run `alerts test`: it shows what each channel answers. It is tried again automatically; any other channel still works.",
  },
  disk_read_only: {
    says: "The file system of the data directory is read-only: no mail is accepted, so senders try again later, users cannot sign in, and nothing is recorded or banned.",
    next: "Try the command in the detail. If it fails, `dmesg` shows a disk error: stop the server, check the device with fsck, mount it, and start the server.",
  },
  disk_full: {
    says: "The disk is full: mail is refused.",
    next: "Free space, or remove files if inodes run out. Mail is accepted again within seconds; senders retry for days.",
  },
  disk_nearly_full: {
    says: "The disk of the data directory is nearly full.",
    next: "Free space, or remove files if inodes run out, before all mail is refused (452): mail to other servers, forwarded mail and held mail is already refused.",
  },
} as const satisfies Record<string, NoticeText>;

/** Only the keeper can raise these, through the guard. */
const ofKeeper = {
  database_reader: {
    says: "A program keeps engine.db open, so its write-ahead log has grown beyond 64 MB.",
    next: "End the program that the detail names. At 1 GB, recording stops.",
  },
  database_locked: {
    says: "Another program keeps a database locked: mail and sign-ins still work, but nothing is counted or banned (engine.db), or no account can be changed (accounts.db).",
    next: "End the program with the command in the detail. The server then recovers automatically.",
  },
  certificate_unknown: {
    says: "A certificate for a domain of yours was issued with a key that none of your servers is known to use: someone may pose as your server.",
    next: "If it is yours, list its key too in certificates.known, or its file in certificates.files. If not, have its issuer revoke it, and see docs/certificate-transparency.md.",
  },
  transparency_failing: {
    says: "The public logs of certificates are not watched completely: a forged certificate may go unnoticed.",
    next: "See the detail and `journalctl -u certspotter`; the notice ends a day after the last failure.",
  },
  backup_failed: {
    says: "The last attempt at a backup failed.",
    next: "Fix what the detail names, then run `backup create`. The server retries at least each hour.",
  },
  backup_old_kept: {
    says: "Backups older than backup.keep could not be removed: they use more and more space.",
    next: "Fix what the detail names. If the remote side is append-only, remove them there and ignore this.",
  },
  backup_overdue: {
    says: "No backup has been made for three days.",
    next: "Make one with `backup create`, which shows why it fails.",
  },
  backup_key_unseen: {
    says: "The key of the backups has never been shown: if this machine is lost, they cannot be read.",
    next: "Show it with `backup key`, and keep it outside this machine.",
  },
  backup_drill_failed: {
    says: "The last restore drill failed: the newest backup could not be restored, or some of its data is wrong.",
    next: "Fix what the detail names, then run `backup drill`. The server retries the next night.",
  },
  backup_drill_overdue: {
    says: "No backup has passed a restore drill for a long time.",
    next: "Run `backup drill`, which shows why it fails.",
  },
  check_failed: {
    says: "A check of the server that passed before now fails, or the checks did not finish.",
    next: "Run `check`: it shows the details and the fix. The notice ends once the checks that passed before pass again.",
  },
  audit_broken: {
    says: "The audit was changed, or cannot be checked.",
    next: "Run `audit verify`: it says which. docs/audit.md says what to do next.",
  },
  mail_locked: {
    says: "The server's key for encrypted mail is missing: mail arrives, but users cannot read what that key encrypts.",
    next: "Put the key where the detail says, or enter it with `encryption unlock`.",
  },
  mail_unencrypted: {
    says: "New mail is stored unencrypted: the server has no key for it.",
    next: "Put a key where the detail says, then run `config apply`.",
  },
  recovery_key_missing: {
    says: "The recovery key is missing, so accounts get no keys: the server's key encrypts the new mail of those without one.",
    next: "Make one with `encryption recovery-key`, then run `config apply`.",
  },
  mail_key_unseen: {
    says: "The server's key for encrypted mail has never been shown: if it is lost, that mail can no longer be read, not even from backups.",
    next: "Show it with `encryption key`, and keep it outside this machine.",
  },
  settings_unread: {
    says: "The settings cannot be read: backups and checks have stopped, and parts that hang are not noticed.",
    next: "Correct the file: `config check` shows every problem. Then run `config apply`.",
  },
  dovecot_settings_unused: {
    says: "Your own settings of Dovecot (mailboxes.dovecot) cannot be used: Dovecot runs without them, and mail is not affected.",
    next: "Correct the file as the detail says, then `config apply`.",
  },
  access_review_overdue: {
    says: "Who can read, send and administer has not been reviewed for a long time.",
    next: "Run `access review`, remove rights that are no longer needed, then run `access review --sign`.",
  },
  retention_failed: {
    says: "Mail past its retention time could not be removed; mail under legal hold was not touched.",
    next: "Fix what the detail names, then run `retention run`. The server retries each hour.",
  },
  relay_refuses: {
    says: "Outgoing mail waits in the queue: the server of `outbound.relay` does not accept it.",
    next: "Fix what the detail names; a new password goes into the file of outbound.relay_password_file. Then run `config apply` and `queue flush`.",
  },
  mail_unstored: {
    says: "New mail for accounts here waits in the queue: Dovecot did not store it when last tried.",
    next: "`queue` and log/mail/mail.log show why. Once that is fixed, run `queue flush`: the notice ends when the mail is stored.",
  },
  report_unsent: {
    says: "The regular report could not be mailed.",
    next: "Fix what the detail names; the server retries each hour. `report` prints it here.",
  },
  isolated: {
    says: "The server is isolated because of an incident.",
    next: "Run `incident recover`: it checks the server and says how to lift the isolation.",
  },
  isolation_broken: {
    says: "The server should be isolated, but the firewall does not block other addresses.",
    next: "Fix what the detail names; the server retries each second.",
  },
  firewall_unconfirmed: {
    says: "The firewall should be strict (firewall.mode), but every port is open, because it was not confirmed in time.",
    next: "Run `firewall try`, then `firewall confirm` from a new SSH session.",
  },
  firewall_not_strict: {
    says: "The firewall should be strict (firewall.mode), but its table cannot be created.",
    next: "Fix what the detail names; the server retries every five seconds.",
  },
  greylist_silent: {
    says: "Postgrey does not answer: mail from strangers is accepted without greylisting.",
    next: `${RESTARTED} log/postgrey.`,
  },
  verifier_silent: {
    says: "Rspamd does not answer: mail cannot be verified or signed (DKIM, SPF, DMARC). Senders try again later, and mail from users waits.",
    next: `${RESTARTED} log/rspamd.`,
  },
  resolver_silent: {
    says: "The resolver does not answer: mail is delayed, block lists are not asked, and mail to other servers waits in the queue.",
    next: `${RESTARTED} log/unbound.`,
  },
  postfix_silent: {
    says: "A part of Postfix does not answer: mail waits in the queue, or is not accepted and senders try again later.",
    next: `${RESTARTED} log/mail/mail.err.`,
  },
  dovecot_silent: {
    says: "A part of Dovecot does not answer: sign-ins may fail, and new mail waits in the queue.",
    next: `${RESTARTED} log/mail/mail.log.`,
  },
  fail2ban_silent: {
    says: "Fail2ban does not answer: its jails report nothing. The guard's own limits and bans hold.",
    next: `${RESTARTED} log/fail2ban.`,
  },
  web_silent: {
    says: "The dashboard does not answer: mail, bans and the command line are not affected.",
    next: `${RESTARTED} log/web.`,
  },
  service_unstable: {
    says: "A program of the server keeps ending. It is restarted each time, but loses what it was doing.",
    next: "See its log under log/ for the cause; `restart` clears the count. The notice ends once it has run for two hours.",
  },
  process_stopped: {
    says: "A program of the server was stopped by a signal (SIGSTOP) and does nothing until it is continued.",
    next: "Run the command in the detail. A program that writes a log is continued automatically, and a part that does not answer is restarted.",
  },
  certificate_refused: {
    says: "The files in tls.cert and tls.key cannot be used: the previous certificate stays in use.",
    next: "Put a valid certificate chain and its key there; within seconds they are used automatically. A restart renews a self-signed one that expired.",
  },
  certificate_expiring: {
    says: "The TLS certificate expires soon: then mail programs will no longer connect.",
    next: "Renew it: docs/tls.md says how, and why that may fail. A self-signed one is renewed when the server starts again.",
  },
  certificate_expired: {
    says: "The TLS certificate has expired: mail programs no longer connect, and servers that verify it deliver no mail.",
    next: "Put a renewed certificate chain and its key into the files of tls.cert and tls.key; within seconds they are used. If the two settings are empty, run `restart`: it renews the self-signed certificate.",
  },
  accounts_file_refused: {
    says: "The file in accounts.follow could not be used completely; no account was suspended because of it.",
    next: "Correct or remove what the detail names; the file is read again automatically.",
  },
  accounts_file_ignored: {
    says: "The file in accounts.follow has fields that this server ignores; the rest of it is in force.",
    next: "Remove the fields that the detail names; the file is read again automatically.",
  },
  spam_filter_down: {
    says: "SpamAssassin does not answer: mail is accepted unmarked, or must wait if spam.on_failure says so.",
    next: `${RESTARTED} log/spamd and log/spamass-milter.`,
  },
  component_outdated: {
    says: "Debian has upgraded a component, and the server is not running the new version yet.",
    next: "Fix what the detail names. The server retries every ten minutes, and after the next package change.",
  },
  detector_stopped: {
    says: "A program that looks for intrusions or for foreign certificates has stopped: what it would report goes unnoticed.",
    next: "Start what the detail names, for example with `systemctl start psad`, or empty its setting.",
  },
  spam_rules_old: {
    says: "The rules of the spam filter could not be updated for a week: new kinds of spam may pass.",
    next: "Fix what the detail names, then run `spam update`. The server retries each day; the old rules stay in use.",
  },
  disk_filling: {
    says: "The disk of the server is filling up.",
    next: "Free space, or make the disk larger, before mail is refused. The command in the detail shows what uses it; alerts.thresholds.disk sets when this alert is sent.",
  },
  disk_low: {
    says: "Little space is left on the disk of the server.",
    next: "Free space now, or make the disk larger: once it is full, mail is refused (452).",
  },
  mailbox_overused: {
    says: "The user of a mailbox tries to take too much of the server: more disk than its quota allows, much memory, very many sessions, or endless new folders.",
    next: "Ask the user. If it was someone else, the password is stolen: `account passwd` sets another and ends all sessions.",
  },
} as const satisfies Record<string, NoticeText>;

export const notices = { ...ofGuard, ...ofKeeper };

export type NoticeCode = keyof typeof notices;
export type KeeperNotice = keyof typeof ofKeeper;

export const NOTICE_CODES: readonly NoticeCode[] = Object.keys(notices).filter(
  (code): code is NoticeCode => code in notices,
);
export const KEEPER_NOTICES: readonly KeeperNotice[] = Object.keys(ofKeeper).filter(isKeeperNotice);

export function isKeeperNotice(code: string): code is KeeperNotice {
  return Object.hasOwn(ofKeeper, code);
}

/** Notices that only follow from another, or preceded it. On a full disk, for example, nothing can be written. */
const COVERED: Readonly<Record<string, readonly NoticeCode[]>> = {
  disk_full: [
    "database_unwritable",
    "accounts_unwritable",
    "accounts_uncopied",
    "engine_undigested",
    "disk_filling",
    "disk_low",
    "disk_nearly_full",
  ],
  certificate_expired: ["certificate_expiring"],
};

export function coveredBy(raised: readonly Readonly<{ code: string }>[]): readonly string[] {
  return raised.flatMap(({ code }) => COVERED[code] ?? []);
}
