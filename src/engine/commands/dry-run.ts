import type { Ban } from "../../core/decide/decision.ts";
import type { Command, CommandError, DryVerb, Reply } from "../../wire/control/control.ts";
import type { SecretMaker } from "../admin-ports.ts";
import type { Engine } from "../engine.ts";
import type { SpamPreferences } from "../mailbox-ports.ts";
import type { Notices } from "../ports.ts";
import { type CredentialCommandParts, tokenCommand } from "./access.ts";
import { accountCommand } from "./accounts.ts";
import { type AliasCommandParts, aliasCommand } from "./aliases.ts";
import { type AppPasswordParts, appPasswordCommand } from "./app-passwords.ts";
import { allowAdd, allowRemove, type BanCommandParts, ban, type TargetParts, unban } from "./bans.ts";
import { type DashboardCommandParts, sessionCommand } from "./dashboard.ts";
import { type ForwardCommandParts, forwardCommand } from "./forwarding.ts";
import { type GreylistCommandParts, greylistPause, greylistResume } from "./greylist.ts";
import { heldCommand } from "./held.ts";
import type { Share } from "./held-queue.ts";
import { type NetworkCommandParts, networkCommand } from "./networks.ts";
import { keeperOnPaper } from "./paper-keeper.ts";
import { queueCommand } from "./queue.ts";
import { quotaCommand } from "./quota.ts";
import { type SpamCommandParts, spamAllow } from "./spam.ts";
import { type VacationCommandParts, vacationCommand } from "./vacation.ts";
import type { Admitted } from "./web.ts";
import { type WebPasswordParts, webImport, webPassword } from "./web-passwords.ts";

export type DryRunParts = BanCommandParts &
  CredentialCommandParts &
  DashboardCommandParts &
  NetworkCommandParts &
  AliasCommandParts &
  WebPasswordParts &
  AppPasswordParts &
  ForwardCommandParts &
  VacationCommandParts &
  GreylistCommandParts &
  SpamCommandParts;

export const NO_DRY_RUN: CommandError = {
  ok: false,
  kind: "usage",
  message: "This command cannot be tried without being carried out.",
  next: "Leave the dry run out.",
};

/** What the command would be answered, by the same rules; it changes and records nothing. */
export function dryRun(
  parts: DryRunParts,
  { command, by, caller, share }: Admitted & Readonly<{ command: Extract<Command, { verb: DryVerb }>; share: Share }>,
): Promise<Reply> {
  const network = onPaper(parts);
  const engine = { policy: parts.engine.policy, ...UNRECORDING };
  const access = { ...parts, engine };
  const users = {
    ...access,
    isDry: true,
    keeper: keeperOnPaper(parts.keeper),
    notices: SILENT,
    secrets: UNHASHED,
  } as const;
  switch (command.verb) {
    case "ban":
      return ban(network, command, by);
    case "unban":
      return unban(network, command, by);
    case "allow_add":
      return allowAdd(network, command, by);
    case "allow_remove":
      return allowRemove(network, command, by);
    case "token_create":
    case "token_revoke":
      return parts.rehearse(() => tokenCommand(access, command, by));
    case "session_end":
    case "session_end_all":
      return parts.rehearse(() => sessionCommand(access, command, { caller, by }));
    case "account_make":
    case "account_password":
      return webPassword(users, command, by);
    case "accounts_bring":
      return webImport(users, command, by);
    case "account_remove":
    case "account_suspend":
    case "account_resume":
      return accountCommand(users, command, by);
    case "alias_add":
    case "alias_remove":
    case "alias_block":
      return aliasCommand(users, command, by);
    case "quota_set":
      return quotaCommand(users, command, by);
    case "networks_add":
    case "networks_remove":
      return networkCommand(users, command, by);
    case "app_password_add":
    case "app_password_remove":
      return appPasswordCommand(users, command, by);
    case "forward_set":
      return forwardCommand(users, command, by);
    case "vacation_set":
      return vacationCommand(users, command, by);
    case "queue_hold":
    case "queue_release":
    case "queue_delete":
    case "queue_return":
    case "queue_flush":
      return queueCommand(users, command, by, share);
    case "held_release":
    case "held_drop":
      return heldCommand(users, command, by, share);
    case "greylist_pause":
      return greylistPause({ ...access, pauses: unpaused(parts) }, command, by);
    case "greylist_resume":
      return greylistResume({ ...access, pauses: unpaused(parts) }, command, by);
    case "spam_allow_add":
    case "spam_allow_remove":
      return spamAllow({ ...access, senders: unlisted(parts), preferences: UNWRITING }, command, by);
  }
}

const UNRECORDING: Pick<Engine, "audit"> = { audit: () => Promise.resolve(true) };

const SILENT: Notices = { raise: () => undefined, clear: () => undefined, list: () => [] };

const UNWRITING: SpamPreferences = { refresh: () => undefined };

/** A hash takes long, and none is kept. */
const UNHASHED: SecretMaker = {
  make: (asked) => Promise.resolve(asked.map(() => ({ hash: "{ARGON2ID}none", proof: "" }))),
  proofOf: () => "",
};

/** Nothing is paused or goes on again. */
function unpaused({ pauses }: Pick<GreylistCommandParts, "pauses">): GreylistCommandParts["pauses"] {
  return {
    pauses: (now) => pauses.pauses(now),
    pause: () => undefined,
    resume: (target, now) => pauses.pauses(now).some((pause) => pause.target === target),
  };
}

/** Nobody is put on the list or taken off. */
function unlisted({ senders }: Pick<SpamCommandParts, "senders">): SpamCommandParts["senders"] {
  return {
    allowedSenders: () => senders.allowedSenders(),
    wouldChange: (...change) => senders.wouldChange(...change),
    allowSender: (account, sender) => senders.wouldChange("allow", account, sender),
    disallowSender: (account, sender) => senders.wouldChange("disallow", account, sender),
  };
}

/** The engine's decision without its effects, and the ban that would come of it. */
function onPaper({ engine, history }: BanCommandParts): TargetParts {
  let made: Ban | null = null;
  return {
    engine: {
      policy: engine.policy,
      subject: (ip) => engine.subject(ip),
      ask: (event) => {
        // Only commands on a network get here.
        if (!("prefix" in event)) return engine.ask(event);
        const decided = engine.wouldDecide(event);
        made =
          decided.changes.map((change) => (change.type === "BAN" ? change.ban : null)).find((it) => it !== null) ??
          null;
        return Promise.resolve(decided);
      },
    },
    history: { ban: () => made, bansWithin: (network) => history.bansWithin(network) },
  };
}
