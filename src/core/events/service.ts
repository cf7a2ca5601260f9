/** The door an event came through. */
export type Service = "smtp" | "submission" | "submissions" | "imap" | "sieve" | "dashboard";
