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
    says: "The database cannot be written: mail goes on, but nothing new is counted or banned.",
    next: "Free space on the disk of the data directory, or look at the guard's log.",
  },
  database_log_held: {
    says: "A program reads the database without an end, so that its write-ahead log grows.",
    next: "End the program that has engine.db open: `fuser -v` names it. From 1 GB on nothing new is recorded.",
  },
  database_reader: {
    says: "A program keeps engine.db open, so that its write-ahead log grows: it holds more than 64 MB.",
    next: "End the program that the detail names. From 1 GB on nothing new is recorded.",
  },
  database_set_aside: {
    says: "A database was damaged, replaced or gone: what could be saved of it was put in its place, and the old file set aside.",
    next: "See docs/recovery.md for what may be missing. Once you do not need the old files, remove them with the command in the detail.",
  },
  database_unsaved: {
    says: "A file of an open database is gone and could not be put back: what it holds is lost when the server stops.",
    next: "Do not stop the server. Put back the directory that the detail names, or make room; it is tried again each second.",
  },
  accounts_uncopied: {
    says: "The accounts could not be copied: if accounts.db is damaged now, the newest changes are lost.",
    next: "Make room on the disk of the data directory; it is tried again each second.",
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
  connections_uncounted: {
    says: "The kernel cannot count connections. This matters only while the guard is down: then an address may hold more connections open than allowed.",
    next: "Use a kernel with the module nft_connlimit; Postfix limits its own ports in any case.",
  },
  ports_crowded: {
    says: "Two thirds of the connections that a mail port can serve are taken: the guard ends idle ones of strangers, and others only when almost none are left.",
    next: "Usually nothing: known places have room of their own. `ban NETWORK` keeps out whoever the detail names.",
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
    says: "A part of Postfix does not answer: mail is not accepted, and senders try again later.",
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
  bans_leak: {
    says: "A banned address still reaches a mail server, although the firewall has its ban.",
    next: "Check whether another firewall rule accepts it first, or a proxy passes it on: see the allow list and http.trusted_proxies.",
  },
  spam_filter_down: {
    says: "SpamAssassin does not answer: mail is accepted unmarked, or must wait if spam.on_failure says so.",
    next: "It is restarted automatically; if that does not help, try the command of the detail and see log/spamd and log/spamass-milter.",
  },
  simulating: {
    says: "The settings say `simulate`: everything is decided and recorded, but nothing is refused and no address is banned.",
    next: "See `events`: it tells what would have been done. Take `simulate` out of the settings, then `config apply`.",
  },
  alerts_undelivered: {
    says: "A channel fails: alerts sent through it do not arrive.",
    next: "Run `alerts test`: it shows what each channel answers. The others still work, and this one is tried again automatically.",
  },
  disk_nearly_full: {
    says: "The disk of the data directory is nearly full.",
    next: "Free space, or remove files where inodes run out, before mail is refused (452).",
  },
} as const satisfies Record<string, NoticeText>;

export type NoticeCode = keyof typeof notices;

export const NOTICE_CODES: readonly NoticeCode[] = Object.keys(notices).filter(isNoticeCode);

function isNoticeCode(code: string): code is NoticeCode {
  return Object.hasOwn(notices, code);
}
