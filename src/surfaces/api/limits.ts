import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";

/** Every bound of the HTTP server. Sizes in bytes, times in milliseconds. */
export const API_LIMITS = {
  headerBytes: 16_384,
  /** The largest usual body is a file of accounts, as JSON. */
  bodyBytes: 65_536,
  /** For callers who have not signed in: the largest sign-in uses a passkey with an RSA key of 4096 bits. */
  strangersBodyBytes: 4_096,
  connections: 512,
  /** How many of them one client, or one IPv6 unit, may have, also through a trusted proxy. */
  connectionsAnAddress: 64,
  /** Time to receive the headers, and the whole request. */
  headersMs: 5 * SECOND_MS,
  requestMs: 15 * SECOND_MS,
  /** How often to check for late requests; Node itself checks every 30 s. */
  lookMs: SECOND_MS,
  keepAliveMs: 5 * SECOND_MS,
  /** Time to answer a request; streams are exempt. */
  answerMs: 15 * SECOND_MS,
  /** How many sessions and tokens are remembered with their rights, and how long: an ended one may read at most this long. */
  callers: 1_024,
  callerAgeMs: 5 * SECOND_MS,
  /** While the guard cannot be asked, so no one can end one either. */
  callerAgeWithoutGuardMs: 10 * MINUTE_MS,
  /** Concurrent questions about unknown credentials, and how long others wait for their turn. */
  unknownAtOnce: 4,
  unknownWaitMs: 5 * SECOND_MS,
  /**
   * Concurrent sign-ins; others wait for `unknownWaitMs`. More than the guard's lanes hold (two for each of
   * `LIMITS.dashboardLogins`, two for known browsers), so that refusals find a place; far fewer than its connections, so that
   * sessions are still answered.
   */
  signInsAtOnce: 70,
  /** The same for users of mailboxes, by `LIMITS.mailboxLogins`, for strangers and for places that accounts know. */
  mailboxSignInsAtOnce: 68,
  /**
   * After this many wrong credentials from a network within this time, the guard is asked about no more of them. A refusal is
   * remembered as long.
   */
  wrongCredentials: 30,
  wrongCredentialsMs: 10 * SECOND_MS,
  /** How long until the guard is asked again to end a session that was signed out. */
  endAgainMs: SECOND_MS,
  streams: 32,
  /** Streams of one caller: a session or a token, or all sessions of a mailbox. Also its concurrent requests. */
  streamsOfOne: 8,
  readsOfOne: 16,
  /**
   * Concurrent requests of each mailbox user and of all together; others wait their turn for this long. The longest of
   * their searches take a third of a second, one after the other: so the owner waits for less than `answerMs` in programs/web/lookups.ts.
   */
  mailboxReadsOfOne: 2,
  mailboxReads: 8,
  mailboxReadWaitMs: 5 * SECOND_MS,
  /** Requests of one caller within this time. */
  requests: 12_000,
  requestsMs: MINUTE_MS,
  /** Remembered `Idempotency-Key`s, of all callers and of one, and the longest answer stored with one, in characters. */
  keys: 16_384,
  keysOfOne: 2_048,
  keptAnswer: 4_096,
  streamRows: 100,
  streamBeatMs: 15 * SECOND_MS,
  /** A reader that reads nothing for this long is disconnected. */
  streamStallMs: 30 * SECOND_MS,
  /**
   * The page's stream: time between two messages with events, events per message, how many a reader may have missed before
   * older ones are skipped, and how many of the newest it then still gets.
   */
  batchMs: 250,
  batchRows: 500,
  mostMissed: 2_000,
  rowsAfterGap: 100,
  pageBeatMs: 5 * SECOND_MS,
  /** How often the health is checked while a page is open; the guard is asked once a second. */
  healthEveryMs: SECOND_MS / 2,
  healthAgeMs: SECOND_MS,
  /** From the order to stop until running requests are cut off. */
  stopMs: 3 * SECOND_MS,
} as const;
export type ApiLimits = { readonly [K in keyof typeof API_LIMITS]: number };
