/** Why a decision fell as it did. A code is never renamed or reused: the database, the API and scripts hold them. */
type ReasonText = Readonly<{
  /** For the administrator: what it means. */
  says: string;
  /** For the administrator: what to do, if anything. */
  next: string;
  /** SMTP reply for a stranger (RFC 5321, enhanced code of RFC 3463); null where nothing is refused. */
  smtp: string | null;
}>;

const TRY_LATER = "4.7.0 Service not available, try again later";

export const reasons = {
  loopback: { says: "It is this machine itself.", next: "Nothing to do.", smtp: null },
  own_address: { says: "It is an address of this machine.", next: "Nothing to do.", smtp: null },
  gateway: {
    says: "It is the gateway in front of this machine; a ban would shut out everyone behind it.",
    next: "If clients seem to come from it, pass on their real addresses.",
    smtp: null,
  },
  allow_listed: { says: "The address is on the allow list.", next: "`allow remove` takes it off.", smtp: null },
  admin_session: {
    says: "An administrator uses the dashboard or the API from here just now.",
    next: "Nothing to do: half an hour after the last use it is an address like any other.",
    smtp: null,
  },
  all_clients: {
    says: "Nearly all clients seem to come from this private address: a ban would shut out everyone.",
    next: "Let the proxy or the container's network pass on the clients' real addresses.",
    smtp: null,
  },
  known_network: {
    says: "An account signed in from within this network lately.",
    next: "Nothing to do: its addresses are banned one by one.",
    smtp: null,
  },
  honest_network: {
    says: "Servers within this network bring mail that is wanted here, or take mail of accounts.",
    next: "Nothing to do: its addresses are banned one by one.",
    smtp: null,
  },
  banned: { says: "The address is banned.", next: "`unban IP` lifts it.", smtp: `421 ${TRY_LATER}` },
  below_limit: { says: "Within the limits.", next: "Nothing to do.", smtp: null },
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
    says: "A large provider went over a limit: it is deferred, never banned for volume.",
    next: "Nothing to do: it will retry.",
    smtp: "450 4.7.1 Too busy, try again later",
  },
  wanted_busy: {
    says: "Over a limit, yet users here want mail from this server: deferred before it is banned.",
    next: "Nothing to do: it will retry. Raise limits.mail if that is too slow.",
    smtp: "450 4.7.1 Too busy, try again later",
  },
  known_address: {
    says: "Over a limit, yet an account signed in from here lately: slowed down before it is banned.",
    next: "Nothing to do, unless the account was stolen.",
    smtp: "450 4.7.1 Too busy, try again later",
  },
  account_mail_limit: {
    says: "The account sent more mails than it may.",
    next: "Raise limits.mail if it was its owner; otherwise `account suspend`.",
    smtp: "450 4.7.1 Sending limit reached, try again later",
  },
  account_inactive: {
    says: "The account was suspended or removed while a session of it was open.",
    next: "`account resume` lets it sign in again.",
    smtp: `421 ${TRY_LATER}`,
  },
  session_limit: {
    says: "More mails in one connection than a stranger may send; no offence.",
    next: "Nothing to do: the sender comes again. limits.mail.per_session raises it.",
    smtp: "421 4.7.0 Too many mails in one session, connect again",
  },
  block_listed: {
    says: "A DNS block list names the client.",
    next: "If it is honest, it must ask the list to take it off; `allow add` lets it in meanwhile.",
    // The words of Postfix's reject_rbl_client, which stock filters know.
    smtp: "554 5.7.1 Service unavailable; Client host [{ip}] blocked using {zone}",
  },
  sender_unknown: {
    says: "The sender's domain does not exist, or takes no mail: nobody could answer.",
    next: "Nothing to do, unless the DNS is wrong: `allow add` lets an honest client in meanwhile.",
    smtp: "550 5.1.8 Sender address rejected: Domain not found",
  },
  recipient_unknown: {
    says: "There is no such recipient.",
    next: "`account add` or `alias add` makes one.",
    smtp: "550 5.1.1 User unknown",
  },
  bounce_recipients: {
    says: "A mail with an empty sender named a second recipient: a report of failed delivery goes to one.",
    next: "Nothing to do.",
    smtp: "550 5.5.3 Multi-recipient bounce",
  },
  bounces_deferred: {
    says: "Many reports of failed delivery for recipients that do not exist: all from there must come again for a while.",
    next: "Nothing to do: somebody sends spam in your name, and the sender of the reports will retry.",
    smtp: "450 4.7.1 Too busy, try again later",
  },
  recipient_blocked: {
    says: "A common target of spam that nobody here owns.",
    next: "`alias add` gives it an owner; recipients.blocked lists them.",
    smtp: "550 5.1.1 User unknown",
  },
  recipient_probing: {
    says: "Too many recipients that do not exist.",
    next: "Raise limits.recipients.unknown_per_hour, or `allow add` an honest address.",
    smtp: `421 ${TRY_LATER}`,
  },
  greylist_asked: {
    says: "A first contact: Postgrey decides whether it must come again.",
    next: "`greylist pause` lets first contacts of a recipient in at once.",
    smtp: null,
  },
  own_sender: {
    says: "A stranger claimed a sender address of this server.",
    next: "The owner of the address must sign in to send.",
    smtp: "550 5.7.1 Sender address rejected",
  },
  spam_refused: {
    says: "The spam filter scored the mail at spam.refuse_score or above.",
    next: "`spam allow add` lets the sender in for an account; spam.refuse_score is the limit for all.",
    smtp: "550 5.7.1 Message content refused",
  },
  dmarc_refused: {
    says: "The mail failed DMARC, and its domain asks that such mail be refused.",
    next: "Nothing to do if it was forged; otherwise its sender must mend SPF or DKIM.",
    smtp: "550 5.7.1 rejected by DMARC policy",
  },
  author_unclear: {
    says: "The mail named no author, or its From: could be read in two ways.",
    next: "Nothing to do if it was forged; otherwise its sender must write one From: as RFC 5322 has it.",
    smtp: "550 5.7.1 The header must name its author once",
  },
  author_not_own: {
    says: "An account wrote a From: or Sender: that is not its own address, or none, or several.",
    next: "Its mail program must write an address of the account; `alias add` gives it another. `account suspend` stops it.",
    smtp: "550 5.7.1 Not an address of this account",
  },
  login_failures: {
    says: "Too many different wrong passwords.",
    next: "`unban IP` lifts it; `account passwd` sets a new password.",
    smtp: `421 ${TRY_LATER}`,
  },
  account_guarded: {
    says: "The account is being guessed at from many addresses: whoever it does not know is refused unheard.",
    next: "Nothing to do: known networks go on. `allow add` lets in an owner who is elsewhere just now.",
    smtp: null,
  },
  right_password_guarded: {
    says: "The password seems right, yet the account is being guessed at and does not know this network: refused.",
    next: "`allow add` lets it in if it is the owner; otherwise `account passwd`, for somebody knows the password.",
    smtp: null,
  },
  neighbours_banned: {
    says: "Too many addresses of this network were banned: all of it is.",
    next: "`unban NETWORK` lifts it; raise bans.neighbours, or `allow add` an honest neighbour.",
    smtp: `421 ${TRY_LATER}`,
  },
  network_guesses: {
    says: "Too many wrong passwords out of one network, from whatever address.",
    next: "`unban NETWORK` lifts it; raise limits.networks, or `allow add` an honest neighbour.",
    smtp: `421 ${TRY_LATER}`,
  },
  bans_used_up: {
    says: "Too many different wrong passwords of the dashboard, which has brought as many bans as it may within an hour: refused without one.",
    next: "Many addresses guess at the dashboard. Let only addresses that you trust reach it.",
    smtp: null,
  },
  guessing_slowed: {
    says: "Too many different wrong passwords from an address that is never banned: slowed down.",
    next: "If a proxy or a webmail stands there, let it pass on the addresses of its users (http.trusted_proxies).",
    smtp: null,
  },
  repeated_password: {
    says: "The same wrong password again: a device with a stale password, no guessing.",
    next: "Change the password on the device.",
    smtp: null,
  },
  jail_report: {
    says: "Fail2ban found too many offences in the logs.",
    next: "`unban IP` lifts it; `allow add` lets an honest address be.",
    smtp: `421 ${TRY_LATER}`,
  },
  judged_live: {
    says: "Fail2ban told of what the guard judged as it happened: evidence, no offence of its own.",
    next: 'Nothing to do: the limits of the engine hold. fail2ban.sentences = "all" makes each report a sentence.',
    smtp: null,
  },
  report_seen: {
    says: "Fail2ban told again of what was judged before, as it does after a restart: it is no new offence.",
    next: "Nothing to do.",
    smtp: null,
  },
  report_late: {
    says: "Fail2ban told of offences so long ago that a ban for them would be over: it waited while the guard was down.",
    next: "Nothing to do.",
    smtp: null,
  },
  outside_networks: {
    says: "A sign-in from outside the networks from which the account, or any account, may sign in.",
    next: "`account networks NAME add NET` lets it in, or logins.networks where the server restricts all.",
    smtp: null,
  },
  // What only the logs of Postfix and Dovecot tell: they deal with it by themselves.
  lost_connection: {
    says: "The client hung up in the middle of a session.",
    next: "Nothing to do; many of them from one address are a scanner.",
    smtp: null,
  },
  timed_out: { says: "The client fell silent in the middle of a session.", next: "Nothing to do.", smtp: null },
  too_many_errors: {
    says: "The client was hung up on after too many wrong commands.",
    next: "Nothing to do, unless it is a mail program of yours that is set up wrongly.",
    smtp: null,
  },
  pipelining: {
    says: "The client talked out of turn, as senders of spam do.",
    next: "If it is honest, its software must wait for answers (RFC 2920).",
    smtp: null,
  },
  tls_failed: {
    says: "No encrypted connection came about.",
    next: 'An old but honest client may need tls.profile = "compatible".',
    smtp: null,
  },
  auth_not_offered: {
    says: "It tried to sign in on port 25, where nobody can.",
    next: "A mail program of yours must use port 465 or 587.",
    smtp: null,
  },
  malformed_command: { says: "What it said is no SMTP.", next: "Nothing to do.", smtp: null },
  postfix_limit: {
    says: "Postfix's own limit was reached, the second line behind the guard's.",
    next: "Raise limits.connections or limits.mail, or `allow add` an honest address.",
    smtp: null,
  },
  relay_refused: {
    says: "A stranger asked to pass on mail to another server.",
    next: "A user must sign in, on port 465 or 587.",
    smtp: null,
  },
  helo_refused: {
    says: "The client did not introduce itself by a full host name.",
    next: "If it is honest, its software must be set up with its name.",
    smtp: null,
  },
  sender_refused: {
    says: "The sender's address is not one that this client may use.",
    next: "A user sends under addresses of its own: `alias add` gives it another.",
    smtp: null,
  },
  unseen_login_failure: {
    says: "A failed sign-in while the guard was down, found in the log when it came back.",
    next: "Nothing to do: only the jails of Fail2ban count it.",
    smtp: null,
  },
  signed_in: { says: "The password was right.", next: "Nothing to do.", smtp: null },
  manual: { says: "The administrator asked for it.", next: "Nothing to do.", smtp: `421 ${TRY_LATER}` },
  not_banned: { says: "No ban stands on it.", next: "`bans` lists those in force.", smtp: null },
  not_listed: { says: "It is not on the allow list.", next: "`allow list` shows it.", smtp: null },
  not_recorded: {
    says: "The database could not be written: mail went on, nothing new was decided.",
    next: "`status` says what is wrong with the database.",
    smtp: null,
  },
  expired: { says: "Its time was over.", next: "Nothing to do.", smtp: null },
} as const satisfies Record<string, ReasonText>;

export type Reason = keyof typeof reasons;

export function isReason(code: string | null): code is Reason {
  return code !== null && Object.hasOwn(reasons, code);
}

/** Reasons that no ban, by whatever path, can overrule. */
export type Protection = Extract<
  Reason,
  | "loopback"
  | "own_address"
  | "gateway"
  | "allow_listed"
  | "admin_session"
  | "all_clients"
  | "known_network"
  | "honest_network"
>;

/** What a client did wrong that only a log tells. */
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
>;
