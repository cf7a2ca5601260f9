/** Limits of the engine; lookups, enforcement and alerts have their own. A flood from a million addresses costs no more than these. */
export const LIMITS = {
  /** Addresses whose windows are held in memory; others are read from the database when they return. */
  cachedAddresses: 2_048,
  /** Accounts with a password in verification. */
  pendingAccounts: 1_024,
  /** Networks whose last spared offence is remembered. */
  sparedNetworks: 1_024,
  /** Counts of the whole server within an hour, of each kind. No limit may be higher. */
  serverWindow: 10_000,
  /** Wrong passwords remembered for one address; more if a limit needs them (`mostFailures`). Few addresses have any. */
  failuresPerAddress: 1_024,
  /** Passwords of one account that Dovecot verifies at the same time. */
  pendingLoginsPerAccount: 1_024,
  /** How many of these passwords, and of those at other accounts, are recorded if they may have locked someone out. */
  pendingRecorded: 48,
  /** While the database cannot be written: wrong passwords that count, for one address and in total. */
  unrecordedPerAddress: 64,
  unrecordedGuesses: 2_048,
  /** In that time, also accounts whose mails count, and mails of each. */
  unrecordedSenders: 128,
  unrecordedMails: 512,
  /** Logins whose password is being verified. */
  pendingLogins: 4_096,
  /** Addresses of administrators that are remembered. */
  administrators: 64,
  tokens: 200,
  passkeys: 20,
  dashboardSessions: 256,
  /** Sessions of one mailbox's user. */
  mailboxSessions: 16,
  /**
   * Networks of strangers with a dashboard password that is being checked, or waits for its check, which takes a few seconds at most. The
   * owner's own browsers do not count.
   */
  dashboardLogins: 32,
  /** The same for passwords of mailboxes at the dashboard, so that users do not delay an administrator for long. */
  mailboxLogins: 16,
  /** SMTP connections whose mails, recipients and progress are remembered. */
  sessions: 4_096,
  /** Mails from accounts whose recipients are remembered until the mail ends, and recipients of each. */
  namedRecipientsMails: 256,
  namedRecipients: 100,
  /** Accounts whose sent mails are kept in memory. For other accounts they are read from the database. */
  cachedSenders: 256,
  /** Mails that wait for delivery. */
  queuedMails: 4_096,
  /** Domains whose servers refused mail of an account within the hour. */
  refusingDomains: 1_024,
  /** Events in one transaction. At this number it is committed early, so that no other client waits long for the write. */
  eventsPerCommit: 32,
  /** How long an intermediate pass that was answered may wait for its commit. Milliseconds. */
  uncommittedMs: 5,
  /** How often the machine's own addresses and the allow list are looked up. Milliseconds. */
  protectionMs: 5_000,
  /** How long to wait before retrying after the database refused a write. Milliseconds. */
  storeRetryMs: 1_000,
  /** Bans ended in one turn of the event loop. */
  expiriesPerTurn: 500,
} as const;
