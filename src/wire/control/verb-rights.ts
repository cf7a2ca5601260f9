import type { Scope } from "../../core/access/scopes.ts";

/** The socket of a command. The file's permissions prove the origin. */
export type Origin = "root" | "web";
/**
 * What the web's caller needs: nothing, a valid session or token, one with this scope, or the session of a mailbox's user, for whom
 * the verb works only on that mailbox. `proof`: its password was given within the last minutes, to the guard.
 */
export type Need = "nothing" | "caller" | "mailbox" | Scope;
/**
 * Who may use a verb. For an origin that it does not list, the verb does not exist. `own`: so may the user of a mailbox, for whom this
 * field must name that mailbox.
 */
export type Rights = Readonly<{ from: readonly Origin[]; needs: Need; proof?: true; own?: Own }>;
type Own = Readonly<{ field: string; proof: boolean }>;

/** Also for the user of the mailbox that the field names. */
export function orOwner<const R extends Rights>(rights: R, field: string, proof = rights.proof === true) {
  return { ...rights, own: { field, proof } };
}

export const ROOT = { from: ["root"], needs: "nothing" } as const;
/** What strangers ask through the web. */
export const WEB = { from: ["web"], needs: "nothing" } as const;
export const ANYONE = { from: ["root", "web"], needs: "nothing" } as const;
/** What each caller asks about itself. */
export const OF_CALLER = { from: ["web"], needs: "caller" } as const;
/** What the web's routes need (servers/api/routes.ts) and no more: who takes the web over could do all of it for its callers. */
export const READ = { from: ["root", "web"], needs: "read" } as const;
export const BAN = { from: ["root", "web"], needs: "ban" } as const;
export const ALLOW = { from: ["root", "web"], needs: "allow" } as const;
export const GREYLIST = { from: ["root", "web"], needs: "greylist" } as const;
export const QUEUE = { from: ["root", "web"], needs: "queue" } as const;
/** What takes mail away from its recipients, or vouches for an account whose mail is held. */
export const PROVEN_QUEUE = { from: ["root", "web"], needs: "queue", proof: true } as const;
export const ADMIN = { from: ["root", "web"], needs: "admin" } as const;
/** What only a session of the dashboard may do: what it gets is for the reader's eyes, and once. */
export const SESSION_OF_ADMIN = { from: ["web"], needs: "admin" } as const;
export const PROVEN_SESSION = { from: ["web"], needs: "admin", proof: true } as const;
export const PROVEN_ADMIN = { from: ["root", "web"], needs: "admin", proof: true } as const;
/** What the user of a mailbox may do: none of these verbs takes the name of an account. */
export const MAILBOX = { from: ["web"], needs: "mailbox" } as const;
export const PROVEN_MAILBOX = { from: ["web"], needs: "mailbox", proof: true } as const;
