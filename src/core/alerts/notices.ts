/** What the owner is told while it lasts. A code is never renamed or reused: the API and scripts hold them. */
type NoticeText = Readonly<{
  /** What is wrong, and what it means for the mail. */
  says: string;
  /** What to do. */
  next: string;
}>;

export const notices = {
  database_unwritable: {
    says: "The database cannot be written: mail goes on, but nothing new is counted or banned.",
    next: "Make room on the disk of the data directory, or see the guard's log.",
  },
  firewall_unavailable: {
    says: "The firewall cannot be steered: banned addresses are refused by Postfix and Dovecot instead.",
    next: "Give the guard CAP_NET_ADMIN and install nftables; it is tried again by itself.",
  },
  connections_uncounted: {
    says: "The kernel cannot count connections: all is well while the guard runs, but while it is down an address may keep more of them open than allowed.",
    next: "Use a kernel with the module nft_connlimit; Postfix limits its own ports in any case.",
  },
  dnsbl_set_aside: {
    says: "A DNS block list cannot be believed and is set aside: mail goes on without it.",
    next: "Nothing to do if it passes: it is tried again by itself. A list that refuses to serve us asks for an account; dnsbl.zones takes it out.",
  },
  greylist_silent: {
    says: "Postgrey does not answer: nobody is greylisted, and mail of strangers comes in at once.",
    next: "See its log below log/postgrey; when it ends it is started again by itself.",
  },
  verifier_silent: {
    says: "Rspamd does not answer: mail of strangers comes in unverified (DKIM, SPF, DMARC), mail of users must wait.",
    next: "See its log below log/rspamd; when it ends it is started again by itself.",
  },
  events_aggregated: {
    says: "So many events arrived that some were summed up instead of recorded one by one.",
    next: "Bans and limits hold all the same. events.max_rows and events.max_size keep more.",
  },
  keeper_unreachable: {
    says: "The keeper does not answer: configuration is not applied and sessions of an account are not cut.",
    next: "See the keeper's log; `ghostinbox status` shows whether it runs.",
  },
  certificate_refused: {
    says: "The files of tls.cert and tls.key cannot be served: the certificate that was served before still is.",
    next: "Put a valid certificate chain and its key there; it is served within seconds by itself.",
  },
  certificate_expiring: {
    says: "The TLS certificate expires soon: then mail programs will not connect any more.",
    next: "Renew it; a self-signed one is renewed when the server starts again.",
  },
  accounts_file_refused: {
    says: "The file of accounts.follow could not be taken over whole; no account was suspended for it.",
    next: "Correct what the detail names; the file is looked at again by itself.",
  },
  all_clients_private: {
    says: "Every client seems to come from one private address, so that no attacker can be told from a user.",
    next: "Let the proxy or the container's network pass on the clients' real addresses.",
  },
  bans_leak: {
    says: "A banned address still reaches a mail server, though the firewall holds its ban.",
    next: "See whether another rule of the firewall lets it in first, or a proxy passes it on: allow list and http.trusted_proxies.",
  },
  spam_filter_down: {
    says: "SpamAssassin does not answer: mail passes unmarked, or waits at its senders if spam.on_failure says so.",
    next: "See the log of spamd; a dead one is started again by itself, a frozen one must be ended.",
  },
  alerts_undelivered: {
    says: "A channel takes no alerts: what is told through it does not arrive.",
    next: "See what each channel says to `alerts test`; the others go on, and it is tried again by itself.",
  },
  disk_nearly_full: {
    says: "The disk of the data directory is nearly full.",
    next: "Make room before mail is turned away.",
  },
} as const satisfies Record<string, NoticeText>;

export type NoticeCode = keyof typeof notices;

export const NOTICE_CODES: readonly NoticeCode[] = Object.keys(notices).filter(isNoticeCode);

function isNoticeCode(code: string): code is NoticeCode {
  return Object.hasOwn(notices, code);
}
