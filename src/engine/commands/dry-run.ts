import type { Ban } from "../../core/decide/decision.ts";
import type { Command, CommandError, Reply } from "../../wire/control/control.ts";
import type { DryVerb } from "../../wire/control/dry-runs.ts";
import type { Engine } from "../engine.ts";
import { type CredentialCommandParts, tokenCommand } from "./access.ts";
import { allowAdd, allowRemove, type BanCommandParts, ban, type TargetParts, unban } from "./bans.ts";
import { type DashboardCommandParts, sessionCommand } from "./dashboard.ts";
import type { Rehearsal } from "./record-first.ts";
import type { Admitted } from "./web.ts";

export type DryRunParts = BanCommandParts & CredentialCommandParts & DashboardCommandParts & Rehearsal;

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
  }
}

const UNRECORDING: Pick<Engine, "audit"> = { audit: () => Promise.resolve(true) };

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
