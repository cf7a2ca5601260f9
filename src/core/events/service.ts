/** The service that an event came through. */
export const SERVICES = ["smtp", "submission", "submissions", "imap", "sieve", "dashboard"] as const;
export type Service = (typeof SERVICES)[number];

/**
 * Whether a sign-in is the administrator's, whose name has no domain. Users of mailboxes sign in to the dashboard by their
 * address, and are judged there as at their mailbox.
 */
export function isAdministrators(service: string | null, name: string | null): boolean {
  return service === "dashboard" && name?.includes("@") !== true;
}
