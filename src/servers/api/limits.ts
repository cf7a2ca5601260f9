import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";

/** Every bound of the HTTP server. Sizes in bytes, times in milliseconds. */
export const API_LIMITS = {
  headerBytes: 16_384,
  bodyBytes: 4_096,
  /** A passkey with an RSA key of 4096 bits takes most. */
  loginBodyBytes: 4_096,
  /** The text of a reply, in any script and with escapes. */
  vacationBodyBytes: 32_768,
  /** Of a file of accounts, as JSON. */
  accountsBodyBytes: 65_536,
  connections: 512,
  /** How many of them one client may have, also through a trusted proxy. */
  connectionsAnAddress: 64,
  /** To receive the headers, and the whole request. */
  headersMs: 5 * SECOND_MS,
  requestMs: 15 * SECOND_MS,
  /** How often late requests are looked for; Node itself checks every 30 s. */
  lookMs: SECOND_MS,
  keepAliveMs: 5 * SECOND_MS,
  /** To answer a request; streams are exempt. */
  answerMs: 15 * SECOND_MS,
  /** For how many sessions and tokens the rights are remembered, and how long: one that was ended may read no longer than this. */
  callers: 1_024,
  callerAgeMs: 5 * SECOND_MS,
  /** While the guard cannot be asked, so no one can end one either. */
  callerAgeWithoutGuardMs: 10 * MINUTE_MS,
  /**
   * Questions about unknown credentials at once, how long others wait for their turn, and wrong ones of a network before
   * no more are asked for a while. A no is remembered for that while.
   */
  unknownAtOnce: 4,
  unknownWaitMs: 5 * SECOND_MS,
  /**
   * Sign-ins at once, which wait as long; challenges for passkeys have a separate `unknownAtOnce`. More than the guard's lanes
   * hold (two for each of `LIMITS.dashboardLogins`, and two for the owner's browsers), so that those it refuses at once have
   * places left; and far fewer than the connections that it takes, so that sessions are answered beside them.
   */
  signInsAtOnce: 70,
  /** The same for users of mailboxes, by `LIMITS.mailboxLogins`. */
  mailboxSignInsAtOnce: 36,
  wrongCredentials: 30,
  wrongCredentialsMs: 10 * SECOND_MS,
  streams: 32,
  /** Of one caller: a session or a token, or all sessions of a mailbox. So are the requests that it may have answered at once. */
  streamsOfOne: 8,
  readsOfOne: 16,
  /**
   * How many requests of mailbox users are answered at once, of each and of all together; others wait their turn for this long. The longest of
   * their searches take a third of a second, one after the other: so the owner waits for less than `LookupLimits.answerMs`.
   */
  mailboxReadsOfOne: 2,
  mailboxReads: 8,
  mailboxReadWaitMs: 5 * SECOND_MS,
  /** Of one caller within this time. */
  requests: 12_000,
  requestsMs: MINUTE_MS,
  /** `Idempotency-Key`s that are remembered, of all and of one, and the longest answer that is kept with one, in characters. */
  keys: 16_384,
  keysOfOne: 2_048,
  keptAnswer: 4_096,
  streamRows: 100,
  streamBeatMs: 15 * SECOND_MS,
  /** A reader that reads nothing for this long is disconnected. */
  streamStallMs: 30 * SECOND_MS,
  /** Of the page's stream: between two messages with events, what one holds, and how many may be missed before it skips. */
  batchMs: 250,
  batchRows: 500,
  mostMissed: 2_000,
  skippedRows: 100,
  pageBeatMs: 5 * SECOND_MS,
  /** How often the health is looked at while a page is open; the guard is asked once a second. */
  healthEveryMs: SECOND_MS / 2,
  healthAgeMs: SECOND_MS,
  /** After the order to stop, until running requests are cut off. */
  stopMs: 3 * SECOND_MS,
} as const;
export type ApiLimits = { readonly [K in keyof typeof API_LIMITS]: number };
