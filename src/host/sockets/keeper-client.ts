import { connect } from "node:net";
import { CONTROL_REPLY_BYTES, Framer } from "../../admin/declare/framing.ts";
import { type KeeperCommand, type KeeperReply, parseKeeperReply } from "../../admin/declare/keeper.ts";

const DEADLINE_MS = 20_000;
/** Checking and reloading takes about a second, but one part after the other may take up to half a minute on a busy machine. */
const APPLY_DEADLINES = 9;
/**
 * The keeper answers state queries at once, unless it hangs. Shorter than the timeout of the clients that ask the guard for
 * its state.
 */
const STATE_DEADLINE_MS = 1_500;
const STATE_VERBS: readonly KeeperCommand["verb"][] = ["ping", "status", "checks"];

/**
 * How many mailboxes' use may be asked for at once: each may take seconds, and the keeper has only 16 connections, also for the
 * owner's alerts and for ending sessions.
 */
const MOST_USES = 8;

/** The guard's connection to the root process. Never throws: a keeper that is down or silent gives an error reply. */
export class KeeperClient {
  readonly #path: string;
  readonly #deadlineMs: number;
  #uses = 0;

  constructor(path: string, deadlineMs: number = DEADLINE_MS) {
    this.#path = path;
    this.#deadlineMs = deadlineMs;
  }

  async ask(command: KeeperCommand): Promise<KeeperReply> {
    if (command.verb !== "mailbox_use") return this.#send(command);
    if (this.#uses >= MOST_USES) return failed("is already measuring too many mailboxes");
    this.#uses += 1;
    return this.#send(command).finally(() => {
      this.#uses -= 1;
    });
  }

  #send(command: KeeperCommand): Promise<KeeperReply> {
    return new Promise((resolve) => {
      const socket = connect(this.#path);
      const framer = Framer.ofLines(CONTROL_REPLY_BYTES);
      const end = (reply: KeeperReply): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(reply);
      };
      const asksState = STATE_VERBS.includes(command.verb);
      const workMs = command.verb === "apply" ? APPLY_DEADLINES * this.#deadlineMs : this.#deadlineMs;
      const deadlineMs = asksState ? Math.min(STATE_DEADLINE_MS, this.#deadlineMs) : workMs;
      const late = { ...failed(`did not answer within ${deadlineMs / 1000} s`), ...(asksState ? {} : MAY_HOLD) };
      const timer = setTimeout(() => end(late), deadlineMs);
      socket.once("connect", () => socket.write(`${JSON.stringify(command)}\n`));
      socket.on("data", (chunk: Buffer) => {
        const kept = framer.push(chunk, (line) => end(parseKeeperReply(line) ?? failed("gave no answer that is one")));
        if (!kept) end(failed("answered without an end"));
      });
      socket.once("error", (error) => end(failed(`cannot be reached (${error.message})`)));
      socket.once("close", () => end({ ...failed("hung up"), ...MAY_HOLD }));
    });
  }
}

const MAY_HOLD = { mayHold: true } as const;

function failed(what: string): Extract<KeeperReply, { ok: false }> {
  return { ok: false, reason: `The keeper ${what}.` };
}
