import {
  type DryVerb,
  type ParsedCommand,
  type ParsedCommandOf,
  type Reply,
  type Verb,
} from "../../admin/declare/control.ts";
import type { Health } from "../../admin/declare/items.ts";
import { plural } from "../../core/text.ts";
import type { MailboxSignInParts } from "../access/mailbox-sign-in.ts";
import type { Passkeys } from "../access/passkeys.ts";
import type { SignInParts } from "../access/sign-in.ts";
import type { ContentLists } from "../admin-ports.ts";
import { breakGlass, type GlassBroken } from "../enforce/end-bans.ts";
import type { AccountPasswords } from "../ports.ts";
import {
  adminPassword,
  callerCommand,
  type DashboardCommandParts,
  type SessionCommandParts,
  type SignIns,
  sessionCommand,
  signInCommand,
  type TokenCommandParts,
  tokenCommand,
} from "./access/access.ts";
import {
  factorCommand,
  type PasskeyCommandParts,
  passkeyChallenge,
  passkeyCommand,
  resetFactors,
} from "./access/factors.ts";
import { type AccountListParts, accessReview, accountDetails, accountList } from "./accounts/account-lists.ts";
import { type AccountSettingParts, quotaCommand, signInNetworkCommand } from "./accounts/account-settings.ts";
import { type AccountStateCommandParts, accountStateNow } from "./accounts/account-state.ts";
import { accountCommand, recoverKeys } from "./accounts/accounts.ts";
import { aliasAdd, aliasBlock, aliasRemove } from "./accounts/aliases.ts";
import { type AppPasswordParts, appPasswordCommand, appPasswordsRead } from "./accounts/app-passwords.ts";
import { type FileCommandParts, fileCommand } from "./accounts/files.ts";
import { type ForwardCommandParts, forwardCommand, forwardingRead } from "./accounts/forwarding.ts";
import { type VacationCommandParts, vacationCommand, vacationRead } from "./accounts/vacation.ts";
import { type AlertCommandParts, alertsList, alertsTest } from "./alerts.ts";
import { type AuditCommandParts, recordCommand } from "./audit.ts";
import {
  allowAdd,
  allowList,
  allowRemove,
  type BanListParts,
  ban,
  cleanup,
  type NetworkDecisionParts,
  protection,
  unban,
} from "./bans.ts";
import { type GreylistCommandParts, greylistList, greylistPause, greylistResume } from "./greylist.ts";
import { heldCommand } from "./queue/held.ts";
import type { HeldQueueParts, Share } from "./queue/held-queue.ts";
import { queueCommand } from "./queue/queue.ts";
import { failed } from "./refusals.ts";
import type { SettingsCommandParts, SettingsCommands } from "./settings.ts";
import { pending, reload } from "./settings-file.ts";
import { type SpamCommandParts, spamAllow, spamAllowList } from "./spam.ts";
import type { Turn } from "./turns.ts";
import type { Upkeep } from "./upkeep.ts";
import { type Admitted, type CommandGate, UNAUTHORIZED, type WebCaller } from "./web/command-gate.ts";
import type { MyCommand, MyMailboxCommands, MyMailboxParts } from "./web/my-mailbox.ts";
import { type WebPasswordParts, webImport, webPassword } from "./web/web-passwords.ts";

export type CommandParts = BanListParts &
  AccountStateCommandParts &
  AccountListParts &
  WebPasswordParts &
  AppPasswordParts &
  ForwardCommandParts &
  AccountSettingParts &
  VacationCommandParts &
  FileCommandParts &
  HeldQueueParts &
  GreylistCommandParts &
  SpamCommandParts &
  AlertCommandParts &
  AuditCommandParts &
  DashboardCommandParts &
  PasskeyCommandParts &
  Omit<SignInParts, "keys"> &
  Pick<MailboxSignInParts, "guesses"> &
  SettingsCommandParts &
  Pick<MyMailboxParts, "mailPorts"> &
  Readonly<{
    active: AccountPasswords;
    /** Refreshed at once, so that a new address can send, and an allowed sender counts, as soon as the command ends. */
    contentLists: ContentLists;
    health: () => Promise<Health>;
    /** Resolves once all that was committed to either database survives a power failure; false if the disk failed to flush. */
    flushed: () => Promise<boolean>;
    upkeep: Upkeep;
    pid: number;
  }>;

export type Asked<V extends Verb = Verb> = Admitted & Readonly<{ command: ParsedCommandOf<V>; share: Share }>;

/** Parts that keep state between commands. */
export type Kept = Readonly<{
  keys: Passkeys;
  bounds: CommandGate["bounds"];
  signIns: SignIns;
  settings: SettingsCommands;
  mailbox: MyMailboxCommands;
  /** For access reviews, for which root reads users' scripts. */
  reviews: Turn;
}>;

/** Additional arguments of every command. `share`: what the caller may still do to Postfix's queue. */
type At = Kept & Readonly<{ caller: WebCaller | null; share: Share }>;
type Run<P, C> = (parts: P, command: C, by: string, at: At) => Promise<Reply> | Reply;
type Runs<V extends Verb, P> = { readonly [Each in V]: Run<P, ParsedCommandOf<Each>> };

/**
 * Needed by commands that have a dry run. Its stores of accounts.db are the real ones, except those that `partsOfDryRun` replaces: such a
 * command writes to them only inside `change` (`recordFirst`), which a dry run rolls back.
 */
export type DryRunParts = NetworkDecisionParts &
  AccountSettingParts &
  VacationCommandParts &
  AppPasswordParts &
  ForwardCommandParts &
  GreylistCommandParts &
  HeldQueueParts &
  SessionCommandParts &
  SpamCommandParts &
  TokenCommandParts &
  WebPasswordParts;

const RUNS_WITH_DRY_RUN: Runs<DryVerb, DryRunParts> = {
  ban,
  unban,
  allow_add: allowAdd,
  allow_remove: allowRemove,
  token_create: tokenCommand,
  token_revoke: tokenCommand,
  session_end: sessionCommand,
  session_end_all: sessionCommand,
  account_create: webPassword,
  account_set_password: webPassword,
  accounts_import: webImport,
  account_remove: accountCommand,
  account_suspend: accountCommand,
  account_resume: accountCommand,
  alias_add: aliasAdd,
  alias_remove: aliasRemove,
  alias_block: aliasBlock,
  networks_add: signInNetworkCommand,
  networks_remove: signInNetworkCommand,
  quota_set: quotaCommand,
  vacation_set: vacationCommand,
  app_password_add: appPasswordCommand,
  app_password_remove: appPasswordCommand,
  forward_set: forwardCommand,
  queue_hold: queueCommand,
  queue_release: queueCommand,
  queue_delete: queueCommand,
  queue_return: queueCommand,
  queue_flush: queueCommand,
  held_release: heldCommand,
  held_drop: heldCommand,
  greylist_pause: greylistPause,
  greylist_resume: greylistResume,
  spam_allow_add: spamAllow,
  spam_allow_remove: spamAllow,
};

const settings: Run<CommandParts, ParsedCommandOf<`settings_${"list" | "preview" | "apply" | "undo"}`>> = (
  _,
  command,
  by,
  at,
) => at.settings.run(command, by);
const passkey = ofCaller(passkeyCommand);
const ofItself = ofCaller(callerCommand);
const ofMailbox = ofCaller<MyCommand>((_, command, by, { mailbox, caller }) => mailbox.run(command, { caller, by }));

const RUNS: Runs<Verb, CommandParts> = {
  ...RUNS_WITH_DRY_RUN,
  ping: ({ pid }) => ({ ok: true, result: { pid } }),
  health: ({ health }) => health().then((result) => ({ ok: true, result })),
  break_glass: (parts, _, by) => breakGlass(parts, by).then(brokenGlass),
  allow_list: allowList,
  protection,
  account_state: (parts, { name }) => accountStateNow(parts, name),
  account_list: accountList,
  account_details: accountDetails,
  cleanup,
  account_create_hashed: accountCommand,
  account_set_hash: accountCommand,
  held_list: heldCommand,
  queue_list: queueCommand,
  accounts_import_hashed: fileCommand,
  accounts_follow: fileCommand,
  app_passwords: appPasswordsRead,
  forwarding: forwardingRead,
  vacation: vacationRead,
  mail_keys_recover: recoverKeys,
  record: recordCommand,
  alias_list: ({ book }, asked) => ({ ok: true, result: book.aliases(asked) }),
  greylist_list: greylistList,
  spam_allow_list: spamAllowList,
  alerts_test: (parts, _, __, { caller }) => alertsTest(parts, caller !== null),
  alerts_list: alertsList,
  audit_list: ({ audited }, asked) => ({ ok: true, result: audited.entries(asked) }),
  audit_verify: ({ upkeep }) => upkeep.audit(),
  access_review: (parts, command, _, { reviews, caller }) => reviews.take(caller, () => accessReview(parts, command)),
  incident_list: ({ upkeep }) => upkeep.incidents(),
  firewall: ({ upkeep }) => upkeep.firewall(),
  checks: ({ upkeep }) => upkeep.checks(),
  fail2ban: ({ upkeep }) => upkeep.fail2ban(),
  encryption: ({ upkeep }) => upkeep.encryption(),
  retention: ({ upkeep }) => upkeep.retention(),
  upkeep: ({ upkeep }) => upkeep.records(),
  certificate: ({ upkeep }) => upkeep.certificate(),
  dns_check: ({ upkeep }, { domain }) => upkeep.dns(domain),
  token_list: ({ tokens }, asked) => ({ ok: true, result: tokens(asked) }),
  admin_set_hash: (parts, { hash }, by) => adminPassword(parts, hash, by),
  reload: (parts, _, by) => reload(parts, by),
  pending,
  settings_list: settings,
  settings_preview: settings,
  settings_apply: settings,
  settings_undo: settings,
  sign_in: signInCommand,
  sign_in_passkey: signInCommand,
  sign_in_mailbox: signInCommand,
  passkey_challenge: passkeyChallenge,
  passkey_list: passkey,
  passkey_begin: passkey,
  passkey_add: passkey,
  passkey_remove: passkey,
  caller: ofItself,
  prove: ofItself,
  prove_passkey: ofItself,
  sign_out: ofItself,
  factors_reset: (parts, _, by) => resetFactors(parts, by),
  factor_list: factorCommand,
  totp_begin: factorCommand,
  totp_confirm: factorCommand,
  totp_remove: factorCommand,
  recovery_renew: factorCommand,
  session_list: sessionCommand,
  my_mailbox: ofMailbox,
  my_addresses: ofMailbox,
  my_client: ofMailbox,
  my_sessions: ofMailbox,
  my_sessions_end: ofMailbox,
  my_password: ofMailbox,
  my_senders: ofMailbox,
  watch: ({ engine }) => ({ ok: true, result: { lastEventId: engine.lastEventId } }),
};

/** Carries out a command that `CommandGate` has admitted. */
export function carryOut(parts: CommandParts, kept: Kept, asked: Asked): Promise<Reply> | Reply {
  return perform(RUNS, parts, kept, asked);
}

/** Returns what the command would answer, by the same rules except counts. Nothing stays changed or is recorded (`partsOfDryRun`). */
export function dryRun(parts: DryRunParts, kept: Kept, asked: Asked<DryVerb>): Promise<Reply> | Reply {
  return perform(RUNS_WITH_DRY_RUN, parts, kept, asked);
}

function perform<V extends Verb, P>(
  runs: Runs<V, P>,
  parts: P,
  kept: Kept,
  { command, by, caller, share }: Asked<V>,
): Promise<Reply> | Reply {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each verb's entry takes the command of that verb
  return (runs[command.verb] as Run<P, ParsedCommand>)(parts, command, by, { ...kept, caller, share });
}

function ofCaller<C extends ParsedCommand>(
  run: (parts: CommandParts, command: C, by: string, at: At & { caller: WebCaller }) => Promise<Reply> | Reply,
): Run<CommandParts, C> {
  return (parts, command, by, at) =>
    at.caller === null ? UNAUTHORIZED : run(parts, command, by, { ...at, caller: at.caller });
}

function brokenGlass({ lifted, left }: GlassBroken): Reply<"break_glass"> {
  if (left === 0) return { ok: true, result: { lifted } };
  const message = `${plural(left, "ban")} could not be lifted: the database takes no writes.`;
  return failed(message, "`status` shows what is wrong.");
}
