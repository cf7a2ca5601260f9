import {
  type DryVerb,
  effectOf,
  hasDryRun,
  type ParsedCommand,
  type ParsedLine,
  type Reply,
  type Verb,
} from "../../admin/declare/control.ts";
import type { Origin } from "../../admin/declare/verb.ts";
import { messageOf } from "../../core/error.ts";
import { asSentence } from "../../core/text.ts";
import { createMailboxSignIn, type MailboxSignInParts } from "../access/mailbox-sign-in.ts";
import { createPasskeys } from "../access/passkeys.ts";
import { createSignIn, type SignInParts } from "../access/sign-in.ts";
import type { ContentLists } from "../admin-ports.ts";
import { shared } from "../explain/health.ts";
import { type CommandParts, type CommandState, carryOut } from "./carry-out.ts";
import { partsOfDryRun } from "./dry-run-parts.ts";
import type { Share } from "./queue/held-queue.ts";
import { UNFLUSHED } from "./record-first.ts";
import { failed, usage } from "./refusals.ts";
import { createSettingsCommands, type SettingsCommandParts } from "./settings.ts";
import { createQueueShares, createTurn } from "./turns.ts";
import { type Admitted, CommandGate, type WebCommandParts } from "./web/command-gate.ts";
import { createOwnMailbox, mayChangePassword } from "./web/my-mailbox.ts";

const NO_DRY_RUN = usage("This command cannot be tried without carrying it out.", "Repeat it without the dry run.");
/** Only one runs at a time, so the keeper stays free for other commands. */
const REVIEWS = { most: 8, ofOne: 2, busy: "Too many access reviews are waiting." };

type Parts = CommandParts &
  Omit<SignInParts, "keys"> &
  MailboxSignInParts &
  SettingsCommandParts &
  WebCommandParts &
  Readonly<{
    /** Refreshed before the answer, so that a new address can send, and an allowed sender counts, as soon as the command ends. */
    contentLists: ContentLists;
    /** Resolves once everything committed to either database survives a power failure; false if the disk failed to flush. */
    flushed: () => Promise<boolean>;
  }>;

/**
 * Every command of the control socket. The server itself handles the stream that `watch` starts. When a command is answered, its
 * changes of both databases survive a power failure.
 */
export function createCommands(given: Parts) {
  const parts = { ...given, health: shared(given.health) };
  const gate = new CommandGate(parts);
  const keys = createPasskeys(parts);
  const { bounds } = gate;
  const signIns = {
    administrator: createSignIn({ ...parts, keys }, bounds),
    mailboxes: createMailboxSignIn(parts, bounds),
  };
  const state: CommandState = {
    keys,
    bounds,
    signIns,
    settings: createSettingsCommands(parts),
    mailbox: createOwnMailbox(parts),
    reviews: createTurn(REVIEWS),
  };
  // Only the web's commands on Postfix's queue take turns and use up a share; others run at once.
  const withShare = createQueueShares(gate.bounds);
  const run = ({ by, caller }: Admitted, command: ParsedCommand): Promise<Reply> | Reply =>
    withShare({ caller, verb: command.verb, isDry: false }, (share) =>
      carryOut<Verb>(parts, state, { by, caller, command, share }),
    );
  const tryOut = ({ by, caller }: Admitted, command: ParsedCommand): Promise<Reply> | Reply => {
    if (caller === null) return NO_DRY_RUN;
    // The web itself asks for this dry run before it judges a new password (`whyRefused` in account-routes.ts).
    if (command.verb === "my_password") return mayChangePassword(parts, gate.userBounds, command.password, caller);
    // Dry runs are not counted, so mailbox users could use them to find out which addresses exist, for example with a forward.
    if (!hasDryRun(command) || caller.item.account !== null) return NO_DRY_RUN;
    const dryRun = (share: Share) => carryOut<DryVerb>(partsOfDryRun(parts), state, { by, caller, command, share });
    return withShare({ caller, verb: command.verb, isDry: true }, dryRun);
  };
  return async (line: ParsedLine, origin: Origin): Promise<Reply> => {
    const { command } = line;
    try {
      const admitted = gate.admit(line, origin);
      if ("error" in admitted) return admitted.error;
      if (line.isDry === true) return await tryOut(admitted, command);
      const reply = await run(admitted, command);
      const { lasts } = effectOf(command.verb);
      // Even a failed command may have partly changed accounts, the allow list or the settings.
      if (command.verb === "reload" || lasts) parts.contentLists.refresh();
      return !reply.ok || !lasts || (await parts.flushed()) ? reply : UNFLUSHED;
    } catch (error) {
      const why = messageOf(error);
      return failed(
        `It could not be done: ${asSentence(why)}`,
        command.verb === "health" ? "See its log below log/guard." : "`status` shows what is wrong.",
      );
    }
  };
}
