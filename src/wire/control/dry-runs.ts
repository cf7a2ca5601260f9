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
  "account_remove",
  "account_resume",
  "alias_add",
  "alias_remove",
  "alias_block",
  "quota_set",
  "networks_add",
  "networks_remove",
] as const satisfies readonly Verb[];
export type DryVerb = (typeof DRY_RUNS)[number];

export function hasDryRun<C extends Pick<Command, "verb">>(command: C): command is Extract<C, { verb: DryVerb }> {
  const all: readonly Verb[] = DRY_RUNS;
  return all.includes(command.verb);
}
