import { DAY_MS, HOUR_MS, SECOND_MS } from "../../core/time.ts";

/** Every bound of the HTTP server. Sizes in bytes, times in milliseconds. */
export const API_LIMITS = {
  headerBytes: 16_384,
  bodyBytes: 4_096,
  loginBodyBytes: 2_048,
  connections: 512,
  /** How many of them one address may have; a trusted proxy may have all. */
  connectionsAnAddress: 64,
  /** To receive the headers, and the whole request. */
  headersMs: 5 * SECOND_MS,
  requestMs: 15 * SECOND_MS,
  /** How often late requests are looked for; Node itself checks every 30 s. */
  lookMs: SECOND_MS,
  keepAliveMs: 5 * SECOND_MS,
  /** To answer a request; streams are exempt. */
  answerMs: 15 * SECOND_MS,
  sessions: 256,
  sessionIdleMs: 12 * HOUR_MS,
  sessionAgeMs: 7 * DAY_MS,
  /** Passwords that are verified at once, besides the owner's: each takes 100 ms of a core and tens of megabytes. */
  loginsAtOnce: 4,
  streams: 32,
  streamRows: 100,
  streamBeatMs: 15 * SECOND_MS,
  /** A reader that reads nothing for this long is disconnected. */
  streamStallMs: 30 * SECOND_MS,
  healthAgeMs: SECOND_MS,
  /** After the order to stop, until running requests are cut off. */
  stopMs: 3 * SECOND_MS,
} as const;
export type ApiLimits = { readonly [K in keyof typeof API_LIMITS]: number };
