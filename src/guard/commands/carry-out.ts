import {
  type DryVerb,
  type ParsedCommand,
  type ParsedCommandOf,
  type Reply,
  type Verb,
} from "../../admin/declare/control.ts";
import type { Health } from "../../admin/declare/items.ts";
import type { Passkeys } from "../access/passkeys.ts";
import type { Engine } from "../engine.ts";
import { ACCESS_RUNS, type SignIns } from "./access/access.ts";
import { FACTOR_RUNS } from "./access/factors.ts";
import { ACCOUNT_LIST_RUNS } from "./accounts/account-lists.ts";
import { ACCOUNT_SETTING_RUNS } from "./accounts/account-settings.ts";
import { ACCOUNT_RUNS } from "./accounts/accounts.ts";
import { ALIAS_RUNS } from "./accounts/aliases.ts";
import { APP_PASSWORD_RUNS } from "./accounts/app-passwords.ts";
import { FILE_RUNS } from "./accounts/files.ts";
import { FORWARD_RUNS } from "./accounts/forwards.ts";
import { ALERT_RUNS } from "./alerts.ts";
import { AUDIT_RUNS } from "./audit.ts";
import { BAN_RUNS, OTHER_BAN_RUNS } from "./bans.ts";
import { GREYLIST_RUNS } from "./greylist.ts";
import { HELD_RUNS } from "./queue/held.ts";
import type { Share } from "./queue/held-queue.ts";
import { QUEUE_RUNS } from "./queue/queue.ts";
import { SETTINGS_RUNS, type SettingsCommands } from "./settings.ts";
import { SPAM_RUNS } from "./spam.ts";
import type { Turn } from "./turns.ts";
import { UPKEEP_RUNS } from "./upkeep.ts";
import type { Admitted, CommandGate, OfCaller } from "./web/command-gate.ts";
import { MY_RUNS, type OwnMailbox } from "./web/my-mailbox.ts";
import { WEB_PASSWORD_RUNS } from "./web/web-passwords.ts";

/** Parts that keep state between commands. */
export type CommandState = Readonly<{
  keys: Passkeys;
  bounds: CommandGate["bounds"];
  signIns: SignIns;
  settings: SettingsCommands;
  mailbox: OwnMailbox;
  /** For access reviews, for which root reads users' scripts. */
  reviews: Turn;
}>;

/** Additional arguments of every command. `share`: what the caller may still do to Postfix's queue. */
type RunContext = CommandState & OfCaller & Readonly<{ share: Share }>;
type Run<P, C> = (parts: P, command: C, by: string, at: RunContext) => Promise<Reply> | Reply;

/** How each command is carried out, whether or not it is a dry run: the maps of all nouns, and commands without a noun. */
const RUNS = {
  ...ACCESS_RUNS,
  ...FACTOR_RUNS,
  ...ACCOUNT_RUNS,
  ...ACCOUNT_LIST_RUNS,
  ...ACCOUNT_SETTING_RUNS,
  ...ALIAS_RUNS,
  ...APP_PASSWORD_RUNS,
  ...FILE_RUNS,
  ...FORWARD_RUNS,
  ...ALERT_RUNS,
  ...AUDIT_RUNS,
  ...BAN_RUNS,
  ...OTHER_BAN_RUNS,
  ...GREYLIST_RUNS,
  ...HELD_RUNS,
  ...QUEUE_RUNS,
  ...SETTINGS_RUNS,
  ...SPAM_RUNS,
  ...UPKEEP_RUNS,
  ...MY_RUNS,
  ...WEB_PASSWORD_RUNS,
  ping: ({ pid }: Readonly<{ pid: number }>) => ({ ok: true, result: { pid } }),
  health: ({ health }: Readonly<{ health: () => Promise<Health> }>) =>
    health().then((result) => ({ ok: true, result })),
  watch: ({ engine }: Readonly<{ engine: Pick<Engine, "lastEventId"> }>) => ({
    ok: true,
    result: { lastEventId: engine.lastEventId },
  }),
} satisfies { readonly [V in Verb]: Run<never, ParsedCommandOf<V>> };

/** All that the commands with these verbs need together. */
type PartsOf<V extends Verb> = (typeof RUNS)[V] extends (parts: infer P, ...rest: never) => unknown ? P : never;
export type CommandParts = PartsOf<Verb>;

/**
 * Needed by commands that have a dry run. Its stores of accounts.db are the real ones, except those that `partsOfDryRun` replaces: such a
 * command writes to them only inside `change` (`recordFirst`), which a dry run rolls back.
 */
export type DryRunParts = PartsOf<DryVerb>;

type AdmittedCommand<V extends Verb> = Admitted & Readonly<{ command: ParsedCommandOf<V>; share: Share }>;

/**
 * Carries out a command that `CommandGate` has admitted. With the parts of a dry run it returns what the command would answer, by the same
 * rules except limits that count, and leaves no change or record.
 */
export function carryOut<V extends Verb>(
  parts: PartsOf<V>,
  state: CommandState,
  { command, by, caller, share }: AdmittedCommand<V>,
): Promise<Reply> | Reply {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each verb's entry takes the command of that verb
  return (RUNS[command.verb] as Run<PartsOf<V>, ParsedCommand>)(parts, command, by, { ...state, caller, share });
}
