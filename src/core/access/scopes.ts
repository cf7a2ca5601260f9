/**
 * The rights of a session or a token, apart from its own sign-out. `read`: see events, bans, mail in the queue, spam, alerts and checks.
 * `ban`: change bans. `allow`: change the allow list and allowed senders. `greylist`: turn greylisting off for a recipient, and on again.
 * `queue`: hold, release, delete, return and retry mail in the queue, including an account's held mail. `admin`: see and change accounts,
 * aliases, settings, sessions and tokens; see the audit and incidents.
 */
export const SCOPES = ["read", "ban", "allow", "greylist", "queue", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Every role is a set of scopes. */
export const ROLES = {
  owner: SCOPES,
  operator: ["read", "ban", "allow", "greylist"],
  viewer: ["read"],
} as const satisfies Readonly<Record<string, readonly Scope[]>>;
/** `mailbox`: the user of a mailbox, who has no scope, and sees and changes only that mailbox. */
export type Role = keyof typeof ROLES | "mailbox";

/** The highest role whose scopes are all given; `viewer` for any smaller set. */
export function roleOf(scopes: readonly Scope[]): Role {
  if (ROLES.owner.every((scope) => scopes.includes(scope))) return "owner";
  return ROLES.operator.every((scope) => scopes.includes(scope)) ? "operator" : "viewer";
}

/** Excludes viewers: their token may be in a monitoring page. */
export function isAdministrator(role: Role): boolean {
  return role === "owner" || role === "operator";
}

const SCOPES_OF_WORD: ReadonlyMap<string, readonly Scope[]> = new Map<string, readonly Scope[]>([
  ...SCOPES.map((scope) => [scope, [scope]] as const),
  ...Object.entries(ROLES),
]);

/** Reads a comma-separated list of scopes and of roles, which stand for theirs. In the order of `SCOPES`; null if one is unknown. */
export function parseScopes(listed: string): readonly Scope[] | null {
  const meant = listed.split(",").map((word) => SCOPES_OF_WORD.get(word.trim()));
  return meant.includes(undefined) ? null : SCOPES.filter((scope) => meant.some((scopes) => scopes?.includes(scope)));
}

export function printScopes(scopes: readonly Scope[]): string {
  return scopes.join(",");
}
