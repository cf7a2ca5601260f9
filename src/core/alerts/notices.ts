/**
 * Conditions that the owner should know while they last. A code is never renamed or reused: the API and scripts depend
 * on them.
 */
type NoticeText = Readonly<{
  /** What is wrong, and what it means for the mail. */
  says: string;
  /** What to do. */
  next: string;
}>;

export const notices = {
  database_unwritable: {
    says: "The database cannot be written: nothing new is counted or banned.",
    next: "Free space on the disk of the data directory, or look at the guard's log.",
  },
  database_unflushed: {
    says: "The disk refuses to keep what was written: mail goes on, but a power failure would lose the newest records and commands.",
    next: "Look at `dmesg` and `smartctl`: they tell what is wrong with the disk. It is tried again each second; run commands that failed again.",
  },
  database_log_held: {
    says: "A program reads the database without an end, so that its write-ahead log grows.",
    next: "End the program that has engine.db open: `fuser -v` names it. From 1 GB on nothing new is recorded.",
  },
  database_reader: {
    says: "A program keeps engine.db open, so that its write-ahead log grows: it holds more than 64 MB.",
    next: "End the program that the detail names. From 1 GB on nothing new is recorded.",
  },
  database_locked: {
    says: "Another program keeps a database locked: mail and sign-ins go on, but nothing is counted or banned (engine.db), or no account can be changed (accounts.db).",
    next: "End the program with the command in the detail. All goes on by itself then.",
  },
  database_set_aside: {
    says: "A database was damaged, replaced or gone: what could be saved of it was put in its place, and the old file set aside.",
    next: "See docs/recovery.md for what may be missing. Once you do not need the old files, remove them with the command in the detail.",
  },
  database_unsaved: {
    says: "A file of an open database is gone and could not be put back: what it holds is lost when the server stops.",
    next: "Do not stop the server. Put back the directory that the detail names, or make room; it is tried again each second.",
  },
  certificate_unknown: {
    says: "A certificate for a domain of yours was issued with a key that none of your servers is known to use: somebody may pose as your server.",
    next: "If it is yours, add its key to certificates.known, or its file to certificates.files. If not, have its issuer revoke it, and see docs/certificate-transparency.md.",
  },
  transparency_failing: {
    says: "The public logs of certificates are not watched completely: a forged one may stay unnoticed.",
    next: "See what the detail says, and `journalctl -u certspotter`; the notice ends a day after the last trouble.",
  },
  export_failing: {
    says: "Events do not reach the receiver of `export.syslog`. It gets them later, but not what the server has removed by then (events.max_age, events.max_rows, events.max_size).",
    next: "Settle what the detail says; see log/export and docs/siem.md. It is tried again each minute; a loss is told for a day.",
  },
  backup_failed: {
    says: "The last backup could not be made; earlier ones are still there.",
    next: "Settle what the detail says, then `backup create`. It is tried again each hour.",
  },
  backup_old_kept: {
    says: "Backups older than backup.keep could not be removed: they take more and more room.",
    next: "Settle what the detail says. Where the other side only appends, remove them there and ignore this.",
  },
  backup_overdue: {
    says: "No backup has been made for three days.",
    next: "Make one with `backup create`, which says what is in its way.",
  },
  backup_key_unseen: {
    says: "Nobody has seen the key of the backups: if this machine is lost, they cannot be read.",
    next: "Look at it with `backup key`, and keep it outside this machine.",
  },
  backup_drill_failed: {
    says: "The last restore drill failed: the newest backup could not be restored, or not all of it is right.",
    next: "Settle what the detail says, then `backup drill`. It is tried again in the next night.",
  },
  backup_drill_overdue: {
    says: "It is long ago that a backup was restored and found right.",
    next: "Do it with `backup drill`, which says what is in its way.",
  },
  check_failed: {
    says: "A check of the server that passed before finds something wrong now, or the checks did not come to their end.",
    next: "Run `check`: it says more, and what mends it. Once nothing is wrong it ends this notice.",
  },
  audit_broken: {
    says: "The audit was changed: an entry of it was edited, removed or written again.",
    next: "Run `ghostinbox audit verify`: it says which. docs/audit.md says what to do then.",
  },
  mail_locked: {
    says: "The server's key, with which encrypted mail is read, is not there: mail arrives, but users cannot read what that key encrypts.",
    next: "Put the key where the detail says, or give it to `encryption unlock`.",
  },
  mail_key_unseen: {
    says: "Nobody has seen the server's key, with which encrypted mail is read: if it is lost, none can be read any more, not even from backups.",
    next: "Look at it with `encryption key`, and keep it outside this machine.",
  },
  dovecot_settings_unused: {
    says: "Your own settings of Dovecot (mailboxes.dovecot) cannot be used: Dovecot runs without them, and mail is not affected.",
    next: "Correct the file as the detail says, then `config apply`.",
  },
  access_review_overdue: {
    says: "Nobody has looked for a long time at who can read, send and administer.",
    next: "Look with `access review`, take away what is too much, then `access review --sign`.",
  },
  retention_failed: {
    says: "Mail that was kept long enough could not be removed; none under legal hold was touched.",
    next: "Settle what the detail says, then `retention run`. It is tried again each hour.",
  },
  relay_refuses: {
    says: "Mail to others waits in the queue: the server of `outbound.relay` does not take it.",
    next: "Settle what the detail says; a new password goes into the file of outbound.relay_password_file. Then `config apply` and `queue flush`.",
  },
  report_unsent: {
    says: "The regular report could not be mailed.",
    next: "Settle what the detail says; it is tried again each hour. `report` shows it here.",
  },
  isolated: {
    says: "The server is isolated: only administrators reach it, and its mail waits in the queue.",
    next: "Run `ghostinbox incident recover`: it checks the server and says how the isolation is lifted.",
  },
  isolation_broken: {
    says: "The server shall be isolated, but the firewall does not shut the world out.",
    next: "Settle what the detail says; it is tried again each second.",
  },
  firewall_unconfirmed: {
    says: "The firewall shall be strict (firewall.mode), but every port is open, because it was not confirmed in time.",
    next: "Run `ghostinbox firewall try`, then `ghostinbox firewall confirm` from a new session of SSH.",
  },
  firewall_not_strict: {
    says: "The firewall shall be strict (firewall.mode), but its table cannot be made.",
    next: "Settle what the detail says; it is tried again every five seconds.",
  },
  accounts_uncopied: {
    says: "The accounts could not be copied: if accounts.db is damaged now, the newest changes are lost.",
    next: "Make room on the disk of the data directory; it is tried again each second.",
  },
  engine_undigested: {
    says: "The digest of engine.db could not be written: if engine.db is lost now, the newest changes of bans, lists and tokens are lost.",
    next: "Make room on the disk of the data directory; it is tried again each minute.",
  },
  dashboard_password_unset: {
    says: "The dashboard has no password, so nobody can sign in: accounts.db was made again.",
    next: "Set one with `./ghostinbox admin passwd`, and make the tokens of your scripts again: `./ghostinbox token list` shows which there are.",
  },
  recovery_codes_few: {
    says: "Few recovery codes of the dashboard are left: without the phone and without a code only the console helps.",
    next: "Make new ones on the dashboard's page System, in its part Security.",
  },
  accounts_unwritable: {
    says: "Changed settings could not be written into accounts.db: the former domains, blocked recipients and networks of sign-ins stay in force.",
    next: "See what else `status` shows: a full disk, or another program's lock. It is tried again every 5 seconds.",
  },
  maintenance_down: {
    says: "The guard's maintenance process does not run: from time to time decisions wait for the disk.",
    next: "See the guard's log; the process is started again by itself.",
  },
  firewall_unavailable: {
    says: "The firewall cannot be used: Postfix and Dovecot refuse banned addresses instead.",
    next: "Give the guard CAP_NET_ADMIN and install nftables; it is tried again automatically.",
  },
  firewall_lost: {
    says: "Another program removed or changed the firewall's table of bans: it was rebuilt within seconds.",
    next: "Find what did it, such as `nft flush ruleset` or a restart of nftables or another firewall; the notice ends ten minutes after the last time.",
  },
  ports_blocked: {
    says: "Another rule of this machine's firewall drops whatever comes to a mail port: senders and users get no answer.",
    next: "The command of the detail shows all rules: find the one of another table that drops the port, and let the port in there.",
  },
  connections_uncounted: {
    says: "The kernel cannot count connections. This matters only while the guard is down: then an address may hold more connections open than allowed.",
    next: "Use a kernel with the module nft_connlimit; Postfix limits its own ports in any case.",
  },
  tracking_full: {
    says: "The kernel's table of tracked connections is nearly full: once it is, new connections are dropped, and open ones go on.",
    next: "Make it larger with the command of the detail, and in /etc/sysctl.d for the next start. `conntrack -L` lists what fills it.",
  },
  ports_crowded: {
    says: "Two thirds of the connections that a mail port can serve are taken: the guard ends idle ones of strangers, and others only when almost none are left.",
    next: "Nothing if the detail names only addresses that you know: known places have room of their own. `ban NETWORK` keeps an address out. If the detail names an account, ask its owner; `account passwd` ends all its sessions if the owner knows of none.",
  },
  dnsbl_set_aside: {
    says: "A DNS block list gives answers that cannot be believed and is set aside: mail goes on without it.",
    next: "If it does not recover: a list that refuses to serve us may need an account; dnsbl.zones removes the list. It is tested again automatically.",
  },
  greylist_silent: {
    says: "Postgrey does not answer: mail from strangers is accepted without greylisting.",
    next: "It is restarted automatically; if that does not help, try the command of the detail and see log/postgrey.",
  },
  verifier_silent: {
    says: "Rspamd does not answer: mail from strangers is accepted unverified (DKIM, SPF, DMARC), and mail from users must wait.",
    next: "It is restarted automatically; if that does not help, try the command of the detail and see log/rspamd.",
  },
  resolver_silent: {
    says: "The resolver does not answer: mail is delayed, block lists are not asked, and mail to other servers waits in the queue.",
    next: "It is restarted automatically; if that does not help, try the command of the detail and see log/unbound.",
  },
  postfix_silent: {
    says: "A part of Postfix does not answer: mail is not accepted, and senders try again later, or it waits in the queue.",
    next: "It is restarted automatically; if that does not help, try the command of the detail and see log/mail/mail.err.",
  },
  dovecot_silent: {
    says: "A part of Dovecot does not answer: sign-ins may fail, and new mail waits in the queue.",
    next: "It is restarted automatically; if that does not help, try the command of the detail and see log/mail/mail.log.",
  },
  fail2ban_silent: {
    says: "Fail2ban does not answer: its jails report nothing. The guard's own limits and bans hold.",
    next: "It is restarted automatically; if that does not help, try the command of the detail and see log/fail2ban.",
  },
  web_silent: {
    says: "The dashboard does not answer: mail, bans and the command line are not affected.",
    next: "It is restarted automatically; if that does not help, try the command of the detail and see log/web.",
  },
  process_stopped: {
    says: "A program of the server was stopped by a signal (SIGSTOP) and does nothing until it is continued.",
    next: "Run the command of the detail. One that writes a log is continued automatically, and a part that does not answer is restarted.",
  },
  clock_jumped: {
    says: "The machine's clock was set by more than 10 s. Bans, limits and sessions go on by the former time for five minutes; the new time is used after that.",
    next: "If the new time is wrong, set it right with the command of the detail. If it is right, do nothing.",
  },
  events_aggregated: {
    says: "So many events arrived that some were summed up instead of recorded one by one.",
    next: "Bans and limits still hold. Raise events.max_rows and events.max_size to keep more events.",
  },
  keeper_unreachable: {
    says: "The keeper does not answer: new configuration is not applied, and sessions of an account are not ended.",
    next: "See the keeper's log; `ghostinbox status` shows whether it runs.",
  },
  certificate_refused: {
    says: "The files of tls.cert and tls.key cannot be used: the previous certificate stays in use.",
    next: "Put a valid certificate chain and its key there; within seconds they are used automatically.",
  },
  certificate_expiring: {
    says: "The TLS certificate expires soon: then mail programs will no longer connect.",
    next: "Renew it; a self-signed one is renewed when the server starts again.",
  },
  accounts_file_refused: {
    says: "The file of accounts.follow could not be read completely; no account was suspended for it.",
    next: "Correct what the detail names; the file is read again automatically.",
  },
  all_clients_private: {
    says: "All clients seem to come from one private address, so attackers and users cannot be told apart.",
    next: "Let the proxy or the container network pass on the clients' real addresses.",
  },
  bans_in_force: {
    says: "Many addresses are banned at the same time.",
    next: "An attack may be under way: `bans` lists them with their reasons, and `unban IP` lifts one. alerts.thresholds.bans_in_force sets how many are usual on your server.",
  },
  bans_leak: {
    says: "A banned address still reaches a mail server, although the firewall has its ban.",
    next: "Check whether another firewall rule accepts it first, or a proxy passes it on: see the allow list and http.trusted_proxies.",
  },
  spam_filter_down: {
    says: "SpamAssassin does not answer: mail is accepted unmarked, or must wait if spam.on_failure says so.",
    next: "It is restarted automatically; if that does not help, try the command of the detail and see log/spamd and log/spamass-milter.",
  },
  component_outdated: {
    says: "Debian has upgraded a component, and the server does not run the new version yet.",
    next: "Settle what the detail says. It is tried again every ten minutes, and after the next change of a package.",
  },
  spam_rules_old: {
    says: "The rules of the spam filter could not be renewed for a week: new kinds of spam may pass.",
    next: "Settle what the detail says, then `spam update`. It is tried again each day; the former rules stay in use.",
  },
  simulating: {
    says: "The settings say `simulate`: everything is decided and recorded, but nothing is refused and no address is banned.",
    next: "See `events`: it tells what would have been done. Take `simulate` out of the settings, then `config apply`.",
  },
  proxy_not_trusted: {
    says: "Requests to the dashboard or the API come through a proxy that the settings do not name: they count for the proxy, not for their clients.",
    next: "If the address in the detail is your proxy, and it sets `X-Forwarded-For` or appends to it, add it to `http.trusted_proxies`, or, if the detail names a user, this to `http.proxy_users`, then `config apply`. Do not add what only forwards connections, such as Docker or a NAT: all who come through it could pretend any address.",
  },
  alerts_undelivered: {
    says: "A channel fails: alerts sent through it do not arrive.",
    next: "Run `alerts test`: it shows what each channel answers. The others still work, and this one is tried again automatically.",
  },
  disk_read_only: {
    says: "The file system of the data directory takes no writes: no mail is accepted, so senders try again later, users cannot sign in, and nothing is recorded or banned.",
    next: "Try the command in the detail. If it is refused, `dmesg` tells of an error of the disk: stop the server, check the device with fsck, mount it, and start the server.",
  },
  disk_full: {
    says: "Mail is refused now: the disk is full.",
    next: "Free space, or remove files where inodes run out. Senders try again for days, and mail flows within seconds.",
  },
  disk_nearly_full: {
    says: "The disk of the data directory is nearly full.",
    next: "Free space, or remove files where inodes run out, before mail is refused (452).",
  },
  disk_filling: {
    says: "The disk of the server is filling up.",
    next: "Free space, or make the disk larger, before mail is refused. `du -xh --max-depth=2 /var/lib/ghostinbox | sort -h | tail` shows what takes it; alerts.thresholds.disk sets when this alert comes.",
  },
  disk_low: {
    says: "Little space is left on the disk of the server.",
    next: "Free space now, or make the disk larger: once it is full, mail is refused (452).",
  },
} as const satisfies Record<string, NoticeText>;

export type NoticeCode = keyof typeof notices;

export const NOTICE_CODES: readonly NoticeCode[] = Object.keys(notices).filter(isNoticeCode);

function isNoticeCode(code: string): code is NoticeCode {
  return Object.hasOwn(notices, code);
}
