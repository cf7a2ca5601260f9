/** Every bound of the engine, in one place. A flood from a million addresses costs no more than these. */
export const LIMITS = {
  /** Addresses whose windows are held in memory; the others are read from the database when they return. */
  cachedAddresses: 2_048,
  cachedAccounts: 1_024,
  /** Passwords of one account that are being verified at once. */
  askedPerAccount: 1_024,
  /** Sign-ins whose password is being verified. */
  askedSignIns: 4_096,
  /** What is told to the owner of one transaction. */
  sightings: 16,
  /** Addresses of administrators that are remembered. */
  administrators: 64,
  /** Connections whose mails are counted, and whose mails with an empty sender are held to one recipient. */
  sessions: 4_096,
  /** Mails of accounts whose recipients are held until they end, and recipients of each. */
  namedRecipientsMails: 256,
  namedRecipients: 100,
  /** Mails whose delivery is awaited. */
  queuedMails: 4_096,
  /** Events that one transaction holds at most before it is committed early. */
  eventsPerCommit: 512,
  /** How long a pass that was answered at once may wait for what it is committed with. Milliseconds. */
  uncommittedMs: 5,
  /** How often own addresses and the allow list are looked up again. Milliseconds. */
  protectionMs: 5_000,
  /** After the database refused a write, how long until the next try. Milliseconds. */
  storeRetryMs: 1_000,
  /** Bans ended in one turn of the event loop. */
  expiriesPerTurn: 500,
} as const;
