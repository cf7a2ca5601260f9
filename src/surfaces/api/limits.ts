import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";

/** Every bound of the HTTP server. Sizes in bytes, times in milliseconds. */
export const API_LIMITS = {
  headerBytes: 16_384,
  /** The largest usual body is a file of accounts, as JSON. */
  bodyBytes: 65_536,
  /** For callers who have not signed in: the largest sign-in uses a passkey with an RSA key of 4096 bits. */
  strangersBodyBytes: 4_096,
  connections: 512,
  /** Maximum connections of one client (for IPv6, one network), whether direct or through a trusted proxy. */
  connectionsAnAddress: 64,
  /** Time to receive the headers, and the whole request. */
  headersMs: 5 * SECOND_MS,
  requestMs: 15 * SECOND_MS,
  /** How often to check for late requests; Node itself checks every 30 s. */
  lookMs: SECOND_MS,
  keepAliveMs: 5 * SECOND_MS,
  /** Time to answer a request; streams are exempt. */
  answerMs: 15 * SECOND_MS,
  /** How many sessions and tokens are remembered with their rights, and for how long: an ended one may still read for that long. */
  callers: 1_024,
  callerAgeMs: 5 * SECOND_MS,
  /** The same while the guard is down, when no one can end a session or token either. */
  callerAgeWithoutGuardMs: 10 * MINUTE_MS,
  /** Concurrent questions about unknown credentials, and how long others wait for their turn. */
  unknownAtOnce: 4,
  unknownWaitMs: 5 * SECOND_MS,
  /**
   * Concurrent sign-ins; others wait up to `unknownWaitMs`. More than the guard's lanes hold (two for each of
   * `LIMITS.dashboardLogins`, two for known browsers), so that it can refuse the excess at once. Far fewer than the guard's
   * connections, so that requests with sessions are still answered.
   */
  signInsAtOnce: 70,
  /** The same for users of mailboxes: two lanes for each of `LIMITS.mailboxLogins`, for strangers and for places that accounts know. */
  mailboxSignInsAtOnce: 68,
  /**
   * After this many wrong credentials from a network within this time, the guard is not asked about further ones. A refusal is
   * remembered for the same time.
   */
  wrongCredentials: 30,
  wrongCredentialsMs: 10 * SECOND_MS,
  /** How long until the guard is asked again to end a session that was signed out. */
  endAgainMs: SECOND_MS,
  streams: 32,
  /** Streams, and then concurrent reads, of one caller: a token, a session of the owner, or all sessions of a mailbox. */
  streamsOfOne: 8,
  readsOfOne: 16,
  /**
   * Concurrent reads of each mailbox user and of all together; others wait their turn for this long. Their longest searches take a
   * third of a second and run one at a time, so behind them the owner (programs/web/lookups.ts) waits for less than `answerMs`.
   */
  mailboxReadsOfOne: 2,
  mailboxReads: 8,
  mailboxReadWaitMs: 5 * SECOND_MS,
  /** Maximum requests of one caller within this time. */
  requests: 12_000,
  requestsMs: MINUTE_MS,
  /** Maximum `Idempotency-Key`s remembered for all callers and for one, and the longest answer stored with a key, in characters. */
  keys: 16_384,
  keysOfOne: 2_048,
  keptAnswer: 4_096,
  streamRows: 100,
  streamBeatMs: 15 * SECOND_MS,
  /** A reader that reads nothing for this long is disconnected. */
  streamStallMs: 30 * SECOND_MS,
  /**
   * The page's stream: time between two messages with events, events per message, how many missed events are sent later, and how
   * many of the newest are sent if a reader missed more.
   */
  batchMs: 250,
  batchRows: 500,
  mostMissed: 2_000,
  rowsAfterGap: 100,
  pageBeatMs: 5 * SECOND_MS,
  /** How often the health is checked while a page is open; the guard is asked once a second. */
  healthEveryMs: SECOND_MS / 2,
  healthAgeMs: SECOND_MS,
  /** Time from the order to stop until running requests are cut off. */
  stopMs: 3 * SECOND_MS,
} as const;
export type ApiLimits = { readonly [K in keyof typeof API_LIMITS]: number };
