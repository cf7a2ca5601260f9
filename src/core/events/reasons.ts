/** Why a decision was made. A code is never renamed or reused: the database, the API and scripts store them. */
type ReasonText = Readonly<{
  /** For the administrator: what it means. */
  says: string;
  /** For the administrator: what to do, if anything. */
  next: string;
  /** SMTP reply (RFC 5321, enhanced code of RFC 3463), if the guard or a milter refuses a connection or a mail with it. */
  smtp?: string;
}>;

const TRY_LATER = "4.7.0 Service not available, try again later";
/** Postgrey's own words (mail/postgrey/postgrey.ts), so that the two cannot be distinguished. */
const COME_AGAIN = "4.2.0 Temporarily unavailable, try again later";

export const reasons = {
  loopback: { says: "It is this machine itself.", next: "Nothing to do." },
  own_address: { says: "It is an address of this machine.", next: "Nothing to do." },
  gateway: {
    says: "This is the gateway of this machine, a container bridge or a trusted proxy; a ban would lock out everyone behind it.",
    next: "If clients seem to come from it, make it pass on their real addresses.",
  },
  allow_listed: { says: "The address is on the allow list.", next: "`allow remove` removes it." },
  admin_session: {
    says: "An administrator uses the dashboard or the API from this address.",
    next: "Nothing to do: this ends half an hour after the last use.",
  },
  all_clients: {
    says: "Nearly all clients seem to come from this private address; a ban would lock out everyone.",
    next: "Let the proxy or the container network pass on the clients' real addresses.",
  },
  known_network: {
    says: "An account signed in from this network recently.",
    next: "Nothing to do: its addresses are banned one by one.",
  },
  honest_network: {
    says: "Servers here send mail that users want, or accept mail from accounts.",
    next: "Nothing to do: the limits of each address still apply.",
  },
  banned: { says: "The address is banned.", next: "`unban IP` lifts the ban.", smtp: `421 ${TRY_LATER}` },
  below_limit: { says: "This is within the limits.", next: "Nothing to do." },
  connection_limit: {
    says: "Too many connections.",
    next: "Raise limits.connections, or `allow add` an honest address.",
    smtp: `421 ${TRY_LATER}`,
  },
  mail_limit: {
    says: "Too many mails.",
    next: "Raise limits.mail, or `allow add` an honest address.",
    smtp: `421 ${TRY_LATER}`,
  },
  provider_busy: {
    says: "A large provider is over a limit: it must retry later, and is never banned for volume.",
    next: "Nothing to do: it will retry.",
    smtp: "450 4.7.1 Too busy, try again later",
  },
  wanted_busy: {
    says: "This server is over a limit, but users here want mail from it: it must retry later.",
    next: "Nothing to do: it will retry. Raise the limit that the event names if that is too slow.",
    smtp: "450 4.7.1 Too busy, try again later",
  },
  known_address: {
    says: "This address is over a limit, but an account signed in from it recently: it is slowed down instead of banned.",
    next: "Nothing to do, unless the account was stolen.",
    smtp: "450 4.7.1 Too busy, try again later",
  },
  account_mail_limit: {
    says: "The account sent more mails than its limit allows.",
    next: "Raise limits.mail if the user sent them; otherwise use `account suspend`.",
    smtp: "450 4.7.1 Sending limit reached, try again later",
  },
  account_hold_full: {
    says: "The account is held, and has as many held mails as it may.",
    next: "`account held` shows them; `account release` or `account drop` makes room.",
    smtp: "450 4.7.1 Sending limit reached, try again later",
  },
  account_recipient_limit: {
    says: "The account wrote to more recipients than its limit allows.",
    next: "If the user sent them, send to fewer at once or raise limits.sending; otherwise use `account suspend`.",
    smtp: "450 4.7.1 Sending limit reached: send to fewer recipients at once, or try again later",
  },
  account_held: {
    says: "The account wrote to many new recipients, or many refused its mail: its mail waits in the queue until the owner decides.",
    next: "`account held` shows it. `account release` sends it if the user wrote it; otherwise `account suspend`, then `account drop`.",
  },
  account_inactive: {
    says: "The account was suspended or removed while it had an open session.",
    next: "`account resume` lets a suspended account sign in again; `account add` creates a removed one again.",
    smtp: `421 ${TRY_LATER}`,
  },
  right_password_inactive: {
    says: "The password looks right, but the account is suspended or was removed.",
    next: "`account resume` lets a suspended account sign in again; `account add` creates a removed one again.",
  },
  session_limit: {
    says: "The stranger reached the limit of mails, or of recipients without a mail, for one connection; this is not an offence.",
    next: "Nothing to do: the sender connects again. limits.mail.per_session and limits.mail.recipients allow more.",
    smtp: "421 4.7.0 Too many mails in one session, connect again",
  },
  block_listed: {
    says: "The client is on a DNS block list.",
    next: "An honest client must ask the list to remove it; until then `allow add` admits it.",
    // The text of Postfix's reject_rbl_client, which stock filters know.
    smtp: "554 5.7.1 Service unavailable; Client host [{ip}] blocked using {zone}",
  },
  sender_unknown: {
    says: "The sender's domain does not exist or accepts no mail, so a reply could not be delivered.",
    next: "Nothing to do, unless the DNS is wrong: then `allow add` admits an honest client.",
    smtp: "550 5.1.8 Sender address rejected: Domain not found",
  },
  recipient_unknown: {
    says: "This recipient does not exist.",
    next: "`account add` or `alias add` creates it.",
    smtp: "550 5.1.1 User unknown",
  },
  bounce_recipients: {
    says: "A mail with an empty sender named a second recipient, but a delivery report has only one.",
    next: "Nothing to do.",
    smtp: "550 5.5.3 Multi-recipient bounce",
  },
  extensions_deferred: {
    says: "The mail named two extensions of one mailbox (anna+shop@, anna+bank@), or extensions of more than 20 mailboxes. The rest must come in another mail, so that each copy is counted.",
    next: "Nothing to do: an honest server sends the rest in its next mail.",
    smtp: "452 4.5.3 Too many recipients",
  },
  bounces_deferred: {
    says: "Many delivery reports for recipients that do not exist: for a while, all reports from this address must retry later.",
    next: "Nothing to do: someone sends spam in your name, and the server that sends the reports will retry.",
    smtp: "450 4.7.1 Too busy, try again later",
  },
  recipient_blocked: {
    says: "A name that spammers try everywhere, and that no account or alias here has.",
    next: "`alias add` creates it; recipients.blocked lists these names.",
    smtp: "550 5.1.1 User unknown",
  },
  recipient_probing: {
    says: "Too many recipients that do not exist.",
    next: "Raise limits.recipients.unknown_per_hour, or `allow add` an honest address.",
    smtp: `421 ${TRY_LATER}`,
  },
  recipients_deferred: {
    says: "Strangers asked this server for many recipients that do not exist. For a while, strangers from networks that did so must retry later, whatever recipient they name.",
    next: "Nothing to do: it ends an hour after they stop. `allow add` admits an honest server with an outdated recipient list.",
    smtp: `450 ${COME_AGAIN}`,
  },
  recipient_hidden: {
    says: "The recipient does not exist, but strangers ask for many such names: this one was answered like a first mail to a recipient who exists.",
    next: "Nothing to do. Past limits.recipients.unknown_server_per_hour, strangers cannot learn who exists.",
  },
  first_contacts_deferred: {
    says: "Unusually many addresses make a first contact, which is typical of spam sent from many addresses: such mail must wait longer.",
    next: "Nothing to do: an honest server retries. Raise limits.first_contacts if this number of new senders is normal here.",
    smtp: `450 ${COME_AGAIN}`,
  },
  first_contacts_marked: {
    says: "Unusually many addresses make a first contact: the spam score of such mail is raised.",
    next: "Nothing to do. Lower spam.crowd_score, or raise limits.first_contacts, if honest mail is in Junk.",
  },
  greylist_asked: {
    says: "A stranger's mail: Postgrey decides whether it must retry later.",
    next: "`greylist pause` accepts first mails to a recipient at once.",
  },
  header_lines: {
    says: "The mail has far more header lines than any mail program writes.",
    next: "Nothing to do: such mail is made to keep the filters busy. `allow add` spares an honest address the ban.",
    smtp: "550 5.7.1 Too many header lines",
  },
  mime_parts: {
    says: "The mail has or may hide far more MIME parts than any mail program writes.",
    next: "Nothing to do: such mail is made to keep the filters busy. A user sends many files as one archive.",
    smtp: "550 5.7.1 Too many parts",
  },
  filters_busy: {
    says: "The mail filters were busy with other mail, so this one must be sent again later.",
    next: "Nothing to do unless it continues; `events --type EMAIL_DEFERRED` shows the senders.",
    smtp: "451 4.3.2 Too much mail at once, try again later",
  },
  own_sender: {
    says: "A stranger used a sender address of this server.",
    next: "The user of the address must sign in to send.",
    smtp: "550 5.7.1 Sender address rejected",
  },
  spam_refused: {
    says: "The spam filter gave the mail a score of spam.refuse_score or more.",
    next: "`spam allow add` admits the sender for one account; spam.refuse_score is the limit for all.",
    smtp: "550 5.7.1 Message content refused",
  },
  filter_refused: {
    says: "A mail filter refused the mail; its reply says why.",
    next: "`logs --queue-id ID` shows what the filter wrote.",
  },
  filter_deferred: {
    says: "A mail filter could not decide yet: the sender's server must send the mail again later.",
    next: "Nothing to do unless it continues; `status` shows whether the filters work.",
  },
  dmarc_refused: {
    says: "The mail failed DMARC, and its domain asks to refuse such mail.",
    next: "Nothing to do if it was forged. If a mailing list or forwarder changed it, `allow add` that server's address, unless others share it; otherwise the sender must correct SPF or DKIM.",
    smtp: "550 5.7.1 rejected by DMARC policy",
  },
  author_unclear: {
    says: "The mail has no author, or its From: can be read in two ways.",
    next: "Nothing to do if it was forged; otherwise its sender must write one From: as RFC 5322 says.",
    smtp: "550 5.7.1 The header must name its author once",
  },
  author_not_own: {
    says: "An account's mail has a From: or Sender: that is not its own address, one without an address, or several of these fields.",
    next: "The mail program must write an address of the account; `alias add` adds one. `account suspend` stops the account.",
    smtp: "550 5.7.1 Not an address of this account",
  },
  login_failures: {
    says: "Too many different wrong passwords.",
    next: "`unban IP` lifts the ban; `account passwd` sets a new password.",
    smtp: `421 ${TRY_LATER}`,
  },
  slow_guessing: {
    says: "Too many different wrong passwords within a day or a week.",
    next: "`unban IP` forgives them while the address is banned; otherwise `allow add IP --for 1d` admits an honest address.",
    smtp: `421 ${TRY_LATER}`,
  },
  pending_guesses: {
    says: "Too many passwords from this address are being checked at once: one more is refused without a check.",
    next: "Nothing to do: the next sign-in is checked once those are done.",
  },
  account_guarded: {
    says: "Many addresses are guessing this account's password: in new places only a password that looks right is checked.",
    next: "Nothing to do: the user can sign in. `allow add` admits a user with a new password in a new place.",
  },
  network_guesses_refused: {
    says: "Too many different wrong passwords from this network within a day: at accounts that do not know it, only a password that looks right is checked.",
    next: "Nothing to do: places that an account knows still work. `allow add` exempts an honest address.",
  },
  local_guesses_refused: {
    says: "Too many different wrong passwords from this machine within a day: only a password that looks right is checked from here.",
    next: "If it is a webmail or a proxy, make it pass on its users' addresses; otherwise find the program that guesses.",
  },
  spraying: {
    says: "Many networks are guessing many accounts' passwords: in new places only a password that looks right is checked.",
    next: "Nothing to do: users can sign in. `allow add` admits one with a new password in a new place.",
  },
  known_address_capped: {
    says: "Too many different wrong passwords within a day from an address that the account knows: only one that looks right is checked there.",
    next: "Ask the user: a device behind the address is guessing. `allow add` lifts the limit, except for this machine, its gateway and proxies.",
  },
  known_address_at_others: {
    says: "An address that an account knows is guessing at other accounts: there only a password that looks right is checked.",
    next: "Ask the user whose address it is: `why IP` shows the accounts that were tried. `allow add` lifts the limit, except for this machine, its gateway and proxies.",
  },
  right_password_guarded: {
    says: "The password seems right, but it was refused without a check: guesses at this account have used up limits.accounts.candidates, or this network's share of it.",
    next: "If it is the user, `allow add` admits them; otherwise use `account passwd`, because someone knows the password.",
  },
  neighbours_banned: {
    says: "Too many addresses of this network were banned, so the whole network is banned.",
    next: "`unban NETWORK` lifts the ban; raise bans.neighbours, or `allow add` an honest neighbour.",
    smtp: `421 ${TRY_LATER}`,
  },
  network_guesses: {
    says: "Too many wrong passwords from one network.",
    next: "`unban NETWORK` lifts the ban; raise limits.networks, or `allow add` an honest neighbour.",
    smtp: `421 ${TRY_LATER}`,
  },
  bans_used_up: {
    says: "Too many different wrong passwords at the dashboard, which has already caused its maximum number of bans within an hour: refused without a ban.",
    next: "Many addresses are guessing at the dashboard. Let only addresses that you trust reach it.",
  },
  guessing_slowed: {
    says: "Too many different wrong passwords from an address that is never banned: it is slowed down.",
    next: "If it is a proxy or a webmail, let it pass on the addresses of its users (http.trusted_proxies for the dashboard, proxy.networks for mail).",
  },
  repeated_password: {
    says: "The same wrong password again: a device with an old password, not an attack.",
    next: "Change the password on the device.",
  },
  jail_report: {
    says: "Fail2ban found too many offences in the logs.",
    next: "`unban IP` lifts the ban; `allow add` exempts an honest address.",
    smtp: `421 ${TRY_LATER}`,
  },
  intrusion_report: {
    says: "An intrusion detector saw attacks from this address.",
    next: "`unban IP` lifts the ban; `allow add` exempts an honest address. detection.suricata.severity says which alerts count.",
    smtp: `421 ${TRY_LATER}`,
  },
  forgeable: {
    says: "A port scan was seen, but the addresses of its packets can be forged: this is evidence, not an offence.",
    next: "Nothing to do. detection.psad.bans lets scans ban too.",
  },
  judged_live: {
    says: "Fail2ban reported what the guard had already judged: this is evidence, not an offence.",
    next: 'Nothing to do: the limits of the guard apply. With fail2ban.sentences = "all" each report causes a ban.',
  },
  report_seen: {
    says: "Fail2ban reported the same offences again, as it does after a restart: this is not a new offence.",
    next: "Nothing to do.",
  },
  report_late: {
    says: "Fail2ban's report waited while the guard was down; a ban for these offences would already be over.",
    next: "Nothing to do.",
  },
  outside_networks: {
    says: "The sign-in came from outside the networks allowed for this account, or for all accounts.",
    next: "`account networks NAME add NET` allows it; logins.networks restricts all accounts.",
  },
  // Known only from the logs of Postfix and Dovecot, which handle them without the guard.
  lost_connection: {
    says: "The client disconnected in the middle of a session.",
    next: "Nothing to do; many of these from one address indicate a scanner.",
  },
  timed_out: { says: "The client stopped answering in the middle of a session.", next: "Nothing to do." },
  too_many_errors: {
    says: "The client was disconnected after too many wrong commands.",
    next: "Nothing to do, unless it is one of your mail programs with wrong settings.",
  },
  pipelining: {
    says: "The client sent commands before it was its turn, as spam programs do.",
    next: "If it is honest, its software must wait for replies (RFC 2920).",
  },
  tls_failed: {
    says: "No encrypted connection was established.",
    next: 'An honest client may be too old for TLS 1.2, or may need tls.profile = "seed".',
  },
  auth_not_offered: {
    says: "The client tried to sign in on port 25, which does not offer it.",
    next: "A mail program of yours must use port 465 or 587.",
  },
  malformed_command: {
    says: "The client sent a command or an address that SMTP does not allow.",
    next: "Nothing to do.",
  },
  postfix_limit: {
    says: "The client reached one of Postfix's own limits, the second line behind the guard.",
    next: "Raise limits.connections or limits.mail, or `allow add` an honest address.",
  },
  relay_refused: {
    says: "A stranger asked to pass on mail to another server.",
    next: "A user must sign in, on port 465 or 587.",
  },
  helo_refused: {
    says: "The client did not give a full host name in its HELO.",
    next: "If it is honest, its software must be configured with its name.",
  },
  sender_refused: {
    says: "This client may not use this sender address.",
    next: "A user sends as an address of the account: `alias add` adds one.",
  },
  too_large: {
    says: "The mail is larger than this server accepts.",
    next: "Raise limits.mail.max_size, or ask the sender for a link instead.",
  },
  mail_loop: {
    says: "The mail had passed through more servers than any mail needs: it is in a loop.",
    next: "Nothing to do unless it continues; then look for a forward or an alias that leads back here.",
  },
  mailbox_full: {
    says: "The recipient's mailbox is full. The client will try again, often for days.",
    next: "`account quota` gives it more room; otherwise its user deletes mail.",
  },
  postfix_deferred: {
    says: "Postfix could not accept the mail now: its lookup failed, the disk has little space, or the domain has no mailboxes or left the settings.",
    next: "`status` shows what is wrong; until then the sender's server tries again.",
  },
  unseen_login_failure: {
    says: "A sign-in that failed while the guard was down, found later in the log.",
    next: "Nothing to do: only Fail2ban's jails count it.",
  },
  signed_in: { says: "The password was right.", next: "Nothing to do." },
  manual: { says: "An administrator did this.", next: "Nothing to do.", smtp: `421 ${TRY_LATER}` },
  not_banned: {
    says: "There is no ban on it.",
    next: "`bans` lists the bans in force; `why` shows one of a network around it.",
  },
  not_listed: { says: "It is not on the allow list.", next: "`allow list` shows all entries." },
  not_recorded: {
    says: "The database could not be written, so nothing new was decided.",
    next: "`status` shows what is wrong with the database.",
  },
  expired: { says: "Its time is over.", next: "Nothing to do." },
} as const satisfies Record<string, ReasonText>;

export type Reason = keyof typeof reasons;

export function smtpReplyOf(reason: Reason): Extract<(typeof reasons)[Reason], { smtp: string }>["smtp"] | undefined {
  const text = reasons[reason];
  return "smtp" in text ? text.smtp : undefined;
}

export function isReason(code: string | null): code is Reason {
  return code !== null && Object.hasOwn(reasons, code);
}

/** Reasons that forbid a ban. The last two forbid only the ban of a whole network, or of a server for wrong passwords. */
export const PROTECTIONS = [
  "loopback",
  "own_address",
  "gateway",
  "allow_listed",
  "admin_session",
  "all_clients",
  "known_network",
  "honest_network",
] as const satisfies readonly Reason[];
export type Protection = (typeof PROTECTIONS)[number];

/** A client's mistake that only a log reports. */
export type ClientFault = Extract<
  Reason,
  | "lost_connection"
  | "timed_out"
  | "too_many_errors"
  | "pipelining"
  | "tls_failed"
  | "auth_not_offered"
  | "malformed_command"
  | "postfix_limit"
  | "relay_refused"
  | "helo_refused"
  | "sender_refused"
  | "recipient_unknown"
  | "too_large"
  | "mailbox_full"
  | "filter_deferred"
  | "postfix_deferred"
>;
