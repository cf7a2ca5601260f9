import { plural } from "../../core/text.ts";
import { type CommandLine, effectOf, type Reply } from "../../wire/control/control.ts";
import type { Health } from "../../wire/control/items.ts";
import { ownOf } from "../../wire/control/rights.ts";
import type { Passkeys } from "../access/passkeys.ts";
import type { SignInParts } from "../access/sign-in.ts";
import type { AuthorLists } from "../admin-ports.ts";
import { breakGlass, type GlassBroken } from "../enforce/break-glass.ts";
import type { AccountPasswords } from "../ports.ts";
import { adminPassword, tokenCommand, tokenList } from "./access.ts";
import { accessReview } from "./access-review.ts";
import { type AccountListParts, accountDetails, accountList, aliasList } from "./account-lists.ts";
import { accountOwn } from "./account-own.ts";
import { type AccountStateCommandParts, accountStateNow } from "./account-state.ts";
import { accountCommand, recoverKeys } from "./accounts.ts";
import { type AlertCommandParts, alertsList, alertsTest } from "./alerts.ts";
import { aliasCommand } from "./aliases.ts";
import { type AppPasswordParts, appPasswordCommand } from "./app-passwords.ts";
import { type AuditCommandParts, auditList } from "./audit.ts";
import { allowAdd, allowList, allowRemove, type BanCommandParts, ban, cleanup, protection, unban } from "./bans.ts";
import { callerCommand, type DashboardCommandParts, type SignIns, sessionCommand, signInCommand } from "./dashboard.ts";
import type { DryRunParts } from "./dry-run.ts";
import { factorCommand, resetFactors } from "./factors.ts";
import { type FileCommandParts, fileCommand } from "./files.ts";
import { type ForwardCommandParts, forwardCommand } from "./forwarding.ts";
import { type GreylistCommandParts, greylistList, greylistPause, greylistResume } from "./greylist.ts";
import { heldCommand } from "./held.ts";
import type { HeldQueueParts, Share } from "./held-queue.ts";
import { incidentNote } from "./incidents.ts";
import type { MyMailboxCommands, MyMailboxParts } from "./my-mailbox.ts";
import { type NetworkCommandParts, networkCommand } from "./networks.ts";
import { type PasskeyCommandParts, passkeyChallenge, passkeyCommand } from "./passkeys.ts";
import { queueCommand } from "./queue.ts";
import { quotaCommand } from "./quota.ts";
import { recordCommand } from "./records.ts";
import { pending, reload } from "./reload.ts";
import type { SettingsCommandParts, SettingsCommands } from "./settings.ts";
import { type SpamCommandParts, spamAllow, spamAllowList } from "./spam.ts";
import type { Turn } from "./turn.ts";
import type { Upkeep } from "./upkeep.ts";
import { type VacationCommandParts, vacationCommand } from "./vacation.ts";
import { type Admitted, type CommandGate, UNAUTHORIZED } from "./web.ts";
import { type WebPasswordParts, webImport, webPassword } from "./web-passwords.ts";

export type CommandParts = BanCommandParts &
  AccountStateCommandParts &
  AccountListParts &
  WebPasswordParts &
  AppPasswordParts &
  ForwardCommandParts &
  VacationCommandParts &
  FileCommandParts &
  HeldQueueParts &
  NetworkCommandParts &
  GreylistCommandParts &
  SpamCommandParts &
  AlertCommandParts &
  AuditCommandParts &
  DashboardCommandParts &
  DryRunParts &
  PasskeyCommandParts &
  Omit<SignInParts, "keys"> &
  SettingsCommandParts &
  Pick<MyMailboxParts, "mailPorts"> &
  Readonly<{
    active: AccountPasswords;
    /** Refreshed at once, so that a new address can send as soon as the command ends. */
    authors: AuthorLists;
    health: () => Promise<Health>;
    /** Resolves once everything that is committed survives a power failure; false if the disk refused it. */
    flushed: () => Promise<boolean>;
    upkeep: Pick<Upkeep, keyof Upkeep>;
    pid: number;
  }>;

export type Asked = Admitted & Pick<CommandLine, "command"> & Readonly<{ share: Share }>;

/** What keeps a state between commands. */
export type Own = Readonly<{
  keys: Passkeys;
  bounds: CommandGate["bounds"];
  signIns: SignIns;
  settings: SettingsCommands;
  mailbox: MyMailboxCommands;
  /** Of reviews of access, for which root reads users' scripts. */
  reviews: Turn;
}>;

/** Carries a command out. Whether it may be given was looked at before. */
export function carryOut(
  parts: CommandParts,
  { keys, bounds, signIns, settings, mailbox, reviews }: Own,
  { command, by, caller, share }: Asked,
): Promise<Reply> | Reply {
  const account = caller?.item.account ?? null;
  const isOwnChange = account !== null && ownOf(command.verb) !== undefined && effectOf(command.verb).lasts;
  const beyond = isOwnChange ? mailbox.whyNotNow(command, account) : null;
  if (beyond !== null) return beyond;
  switch (command.verb) {
    case "ping":
      return { ok: true, result: { pid: parts.pid } };
    case "health":
      return parts.health().then((result) => ({ ok: true, result }));
    case "ban":
      return ban(parts, command, by);
    case "unban":
      return unban(parts, command, by);
    case "break_glass":
      return breakGlass(parts, by).then(brokenGlass);
    case "incident_note":
      return incidentNote(parts, command, by);
    case "allow_add":
      return allowAdd(parts, command, by);
    case "allow_remove":
      return allowRemove(parts, command, by);
    case "allow_list":
      return allowList(parts, command);
    case "protection":
      return protection(parts, command);
    case "account_state":
      return accountStateNow(parts, command.name);
    case "account_list":
      return accountList(parts, command);
    case "account_details":
      return accountDetails(parts, command);
    case "account_make":
    case "account_password":
      return webPassword(parts, command, by);
    case "accounts_bring":
      return webImport(parts, command, by);
    case "cleanup":
      return cleanup(parts);
    case "account_add":
    case "account_passwd":
    case "account_remove":
    case "account_suspend":
    case "account_resume":
      return accountCommand(parts, command, by);
    case "held_list":
    case "held_release":
    case "held_drop":
      return heldCommand(parts, command, by, share);
    case "queue_list":
    case "queue_hold":
    case "queue_release":
    case "queue_delete":
    case "queue_return":
    case "queue_flush":
      return queueCommand(parts, command, by, share);
    case "accounts_import":
    case "accounts_follow":
      return fileCommand(parts, command, by);
    case "networks_add":
    case "networks_remove":
      return networkCommand(parts, command, by);
    case "app_password_add":
    case "app_password_remove":
      return appPasswordCommand(parts, command, by);
    case "forward_set":
      return forwardCommand(parts, command, by);
    case "vacation_set":
      return vacationCommand(parts, command, by);
    case "app_passwords":
    case "forwarding":
    case "vacation":
      return accountOwn(parts, command, by);
    case "quota_set":
      return quotaCommand(parts, command, by);
    case "mail_keys_recover":
      return recoverKeys(parts, command, by);
    case "legal_hold":
    case "access_reviewed":
    case "recovery_key_made":
    case "firewall_changed":
      return recordCommand(parts, command, by);
    case "alias_add":
    case "alias_remove":
    case "alias_block":
      return aliasCommand(parts, command, by);
    case "alias_list":
      return aliasList(parts, command);
    case "greylist_pause":
      return greylistPause(parts, command, by);
    case "greylist_resume":
      return greylistResume(parts, command, by);
    case "greylist_list":
      return greylistList(parts, command);
    case "spam_allow_add":
    case "spam_allow_remove":
      return spamAllow(parts, command, by);
    case "spam_allow_list":
      return spamAllowList(parts, command);
    case "alerts_test":
      return alertsTest(parts, caller !== null);
    case "alerts_list":
      return alertsList(parts, command);
    case "audit_list":
      return auditList(parts, command);
    case "audit_verify":
      return parts.upkeep.audit();
    case "access_review":
      return reviews.take(() => accessReview(parts, command));
    case "incident_list":
      return parts.upkeep.incidents();
    case "firewall":
      return parts.upkeep.firewall();
    case "checks":
      return parts.upkeep.checks();
    case "fail2ban":
      return parts.upkeep.fail2ban();
    case "encryption":
      return parts.upkeep.encryption();
    case "retention":
      return parts.upkeep.retention();
    case "upkeep":
      return parts.upkeep.records();
    case "certificate":
      return parts.upkeep.certificate();
    case "dns_check":
      return parts.upkeep.dns(command.domain);
    case "token_list":
      return tokenList(parts, command);
    case "token_create":
    case "token_revoke":
      return tokenCommand(parts, command, by);
    case "admin_passwd":
      return adminPassword(parts, command.hash, by);
    case "reload":
      return reload(parts, by);
    case "pending":
      return pending(parts);
    case "settings_list":
    case "settings_preview":
    case "settings_apply":
    case "settings_undo":
      return settings.run(command, by);
    case "sign_in":
    case "sign_in_passkey":
    case "sign_in_mailbox":
      return signInCommand(parts, signIns, command);
    case "passkey_challenge":
      return passkeyChallenge(parts, keys, bounds, command);
    case "passkey_list":
    case "passkey_begin":
    case "passkey_add":
    case "passkey_remove":
      return caller === null ? UNAUTHORIZED : passkeyCommand(parts, keys, command, { caller, by });
    case "caller":
    case "prove":
    case "prove_passkey":
    case "sign_out":
      return caller === null ? UNAUTHORIZED : callerCommand(parts, signIns, command, { caller, by });
    case "factors_reset":
      return resetFactors(parts, by);
    case "factor_list":
    case "totp_begin":
    case "totp_confirm":
    case "totp_remove":
    case "recovery_renew":
      return factorCommand(parts, signIns.administrator.factors, command, { caller, by });
    case "session_list":
    case "session_end":
    case "session_end_all":
      return sessionCommand(parts, command, { caller, by });
    case "my_mailbox":
    case "my_addresses":
    case "my_client":
    case "my_sessions":
    case "my_sessions_end":
    case "my_password":
    case "my_senders":
      return caller === null ? UNAUTHORIZED : mailbox.run(command, { caller, by });
    case "watch":
      return { ok: true, result: { lastEventId: parts.engine.lastEventId } };
  }
}

function brokenGlass({ lifted, left }: GlassBroken): Reply<"break_glass"> {
  if (left === 0) return { ok: true, result: { lifted } };
  const message = `${plural(left, "ban")} could not be lifted: the database takes no writes.`;
  return { ok: false, kind: "failed", message, next: "`status` shows what is wrong." };
}
