import type { Verb } from "./control.ts";

/** Which socket a command came through: the file's permissions are the proof. */
export type Origin = "root" | "web";

/**
 * Who may give which command: a verb that does not name an origin does not exist for it. The web may do what its routes
 * offer (servers/api/routes.ts) and no more, for somebody who takes it over may do all of that.
 */
export const ORIGINS = {
  ping: ["root"],
  health: ["root", "web"],
  ban: ["root", "web"],
  unban: ["root", "web"],
  break_glass: ["root"],
  allow_add: ["root", "web"],
  allow_remove: ["root", "web"],
  allow_list: ["root", "web"],
  cleanup: ["root", "web"],
  account_add: ["root"],
  account_passwd: ["root"],
  account_remove: ["root"],
  account_suspend: ["root"],
  account_resume: ["root"],
  accounts_import: ["root"],
  accounts_follow: ["root"],
  networks_add: ["root"],
  networks_remove: ["root"],
  alias_add: ["root"],
  alias_remove: ["root"],
  alias_block: ["root"],
  greylist_pause: ["root"],
  greylist_resume: ["root"],
  greylist_list: ["root"],
  spam_allow_add: ["root"],
  spam_allow_remove: ["root"],
  spam_allow_list: ["root"],
  alerts_test: ["root"],
  alerts_list: ["root"],
  token_create: ["root"],
  token_revoke: ["root"],
  admin_passwd: ["root"],
  reload: ["root"],
  dashboard_login: ["web"],
  dashboard_ask: ["web"],
  admin_seen: ["web"],
  watch: ["root", "web"],
} as const satisfies { readonly [V in Verb]: readonly Origin[] };

/** What the web may ask, for its own types. */
export type WebVerb = { [V in Verb]: "web" extends (typeof ORIGINS)[V][number] ? V : never }[Verb];

export function mayAsk(origin: Origin, verb: Verb): boolean {
  const origins: readonly Origin[] = ORIGINS[verb];
  return origins.includes(origin);
}

const OWN = /^(?:web|watch)$/;
/** As `actorOf` of the API writes it. */
const ON_BEHALF = /^(?:admin|token [A-Za-z0-9_.-]{1,64}) via [0-9a-f.:]{2,45}$/;

/**
 * The actor for the record. What the web says of itself stays behind `web:`, and only in the words that it has for a
 * caller: no text of its passes for another actor.
 */
export function actorFrom(origin: Origin, by: string): string {
  if (origin === "root") return by;
  return OWN.test(by) || ON_BEHALF.test(by) ? `web:${by}` : "web:unnamed";
}
