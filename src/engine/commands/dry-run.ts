import type { Ban } from "../../core/decide/decision.ts";
import type { Command, CommandError, Reply } from "../../wire/control/control.ts";
import type { DryVerb } from "../../wire/control/dry-runs.ts";
import type { AccountBook, Keeper } from "../admin-ports.ts";
import type { Engine } from "../engine.ts";
import type { Notices } from "../ports.ts";
import { type CredentialCommandParts, tokenCommand } from "./access.ts";
import { accountCommand } from "./accounts.ts";
import { aliasCommand } from "./aliases.ts";
import { allowAdd, allowRemove, type BanCommandParts, ban, type TargetParts, unban } from "./bans.ts";
import { type DashboardCommandParts, sessionCommand } from "./dashboard.ts";
import { type NetworkCommandParts, networkCommand } from "./networks.ts";
import { quotaCommand } from "./quota.ts";
import type { Admitted } from "./web.ts";
import { tooManyTargets } from "./web-aliases.ts";

export type DryRunParts = BanCommandParts &
  CredentialCommandParts &
  DashboardCommandParts &
  NetworkCommandParts &
  Readonly<{ book: Pick<AccountBook, "aliases"> }>;

export const NO_DRY_RUN: CommandError = {
  ok: false,
  kind: "usage",
  message: "This command cannot be tried without being carried out.",
  next: "Leave the dry run out.",
};

/** What the command would be answered, by the same rules; it changes and records nothing. */
export function dryRun(
  parts: DryRunParts,
  { command, by, caller }: Admitted & Readonly<{ command: Extract<Command, { verb: DryVerb }> }>,
): Promise<Reply> {
  const network = onPaper(parts);
  const access = { ...parts, engine: UNRECORDING };
  const users = { ...parts, isDry: true, keeper: IDLE, notices: SILENT } as const;
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
    case "account_remove":
    case "account_resume":
      return accountCommand(users, command, by);
    case "alias_add": {
      const refused = caller === null ? null : tooManyTargets(parts, command);
      return refused === null ? aliasCommand(users, command, by) : Promise.resolve(refused);
    }
    case "alias_remove":
    case "alias_block":
      return aliasCommand(users, command, by);
    case "quota_set":
      return quotaCommand(users, command, by);
    case "networks_add":
    case "networks_remove":
      return networkCommand(users, command, by);
  }
}

const UNRECORDING: Pick<Engine, "audit"> = { audit: () => Promise.resolve(true) };

/** No session is ended. */
const IDLE: Keeper = { ask: () => Promise.resolve({ ok: true, detail: "" }) };
const SILENT: Notices = { raise: () => undefined, clear: () => undefined, list: () => [] };

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
