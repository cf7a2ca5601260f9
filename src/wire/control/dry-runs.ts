import type { Command, Verb } from "./control.ts";

/** The commands whose outcome the guard can tell without carrying them out. */
export const DRY_RUNS = [
  "ban",
  "unban",
  "allow_add",
  "allow_remove",
  "token_create",
  "token_revoke",
  "session_end",
  "session_end_all",
  "account_make",
  "account_password",
  "accounts_bring",
  "account_remove",
  "account_suspend",
  "account_resume",
  "alias_add",
  "alias_remove",
  "alias_block",
  "quota_set",
  "networks_add",
  "networks_remove",
  "app_password_add",
  "app_password_remove",
  "forward_set",
  "vacation_set",
  "queue_hold",
  "queue_release",
  "queue_delete",
  "queue_return",
  "queue_flush",
  "held_release",
  "held_drop",
  "greylist_pause",
  "greylist_resume",
  "spam_allow_add",
  "spam_allow_remove",
] as const satisfies readonly Verb[];
export type DryVerb = (typeof DRY_RUNS)[number];

const SIGN_IN = "A sign-in, a sign-out and a proof are no changes to try.";
const FACTOR = "Second factors and passkeys are set up in a browser, step by step, each of which is confirmed.";
const OWN = "It concerns the mailbox of this session alone.";

/** Why others that the API gives cannot be tried. */
export const NOT_TRIED: ReadonlyMap<Verb, string> = new Map<Verb, string>([
  ["sign_in", SIGN_IN],
  ["sign_out", SIGN_IN],
  ["prove", SIGN_IN],
  ["totp_begin", FACTOR],
  ["totp_confirm", FACTOR],
  ["totp_remove", FACTOR],
  ["recovery_renew", FACTOR],
  ["passkey_begin", FACTOR],
  ["passkey_add", FACTOR],
  ["passkey_remove", FACTOR],
  ["settings_preview", "It changes nothing itself."],
  ["settings_apply", "The preview of the settings tries the same changes."],
  ["settings_undo", "The list of the settings says what can be undone."],
  ["alerts_test", "It changes nothing: it sends a message to each channel."],
  ["my_password", OWN],
  ["my_sessions_end", OWN],
  ["my_sender_add", OWN],
  ["my_sender_remove", OWN],
  ["my_greylist_pause", OWN],
  ["my_greylist_resume", OWN],
  ["my_app_password_add", OWN],
  ["my_app_password_remove", OWN],
  ["my_forwarding_set", OWN],
  ["my_vacation_set", OWN],
]);

export function hasDryRun<C extends Pick<Command, "verb">>(command: C): command is Extract<C, { verb: DryVerb }> {
  const all: readonly Verb[] = DRY_RUNS;
  return all.includes(command.verb);
}
