import type { KeeperCommand, KeeperReply } from "../../admin/declare/keeper.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import type { Keeper } from "../admin-ports.ts";

/** More than the smtpd processes of all submission ports, each of which holds one session. */
const MOST_SESSIONS = 20_000;
/** More than the accounts of any server whose passwords change while their sessions are open. */
const MOST_ACCOUNTS = 20_000;

/**
 * Knows which submission sessions started before the sessions of their account were ended. Postfix verifies a password only once a session,
 * so the guard lets such a session send nothing more, and its client must sign in again. An unknown start, as after a restart of the
 * guard, counts as earlier.
 */
export class SubmissionSessions {
  readonly #begun = new BoundedMap<string, number>(MOST_SESSIONS);
  readonly #ended = new BoundedMap<string, number>(MOST_ACCOUNTS);
  /** Counts starts and ends in their order; times could be equal. */
  #turn = 0;

  /** `session`: names the connection by both of its ends (`sessionOf`). */
  begin(session: string): void {
    this.#begun.set(session, ++this.#turn);
  }

  /** Ends every session of the account that is open now. */
  end(account: string): void {
    this.#ended.set(account.toLowerCase(), ++this.#turn);
  }

  /**
   * `isAtRecipient`: the mail's data was not sent yet. A session whose start is unknown is over at its next recipient, and later in a mail
   * only if the account's sessions were ended since the guard's start.
   */
  isOver(session: string, account: string, isAtRecipient: boolean): boolean {
    const begun = this.#begun.touch(session);
    const ended = this.#ended.get(account.toLowerCase());
    return begun === undefined ? isAtRecipient || ended !== undefined : ended !== undefined && begun < ended;
  }
}

/** Ends the sessions of an account at the submission ports too, whether or not the keeper answers. */
export function endingSubmission(keeper: Keeper, sessions: SubmissionSessions): Keeper {
  return {
    ask: (command: KeeperCommand): Promise<KeeperReply> => {
      if (command.verb === "kick_account") sessions.end(command.account);
      return keeper.ask(command);
    },
  };
}
