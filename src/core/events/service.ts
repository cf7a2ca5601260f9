/** The service that an event came through. */
export const SERVICES = ["smtp", "submission", "submissions", "imap", "sieve", "dashboard"] as const;
export type Service = (typeof SERVICES)[number];
