import { connect } from "node:net";
import { CONTROL_REPLY_BYTES, Framer } from "../../admin/declare/framing.ts";
import { type KeeperCommand, type KeeperReply, parseKeeperReply } from "../../admin/declare/keeper.ts";

const DEADLINE_MS = 20_000;
/** Checking and reloading takes about a second, but each of several parts in turn may take half a minute on a busy machine. */
const APPLY_DEADLINES = 9;
const APPLY_VERBS: readonly KeeperCommand["verb"][] = ["apply", "change_settings", "undo_settings"];
/**
 * The keeper answers state queries at once, unless it hangs. Shorter than the timeout of the clients that ask the guard for
 * its state.
 */
const STATE_DEADLINE_MS = 1_500;
const STATE_VERBS: readonly KeeperCommand["verb"][] = ["ping", "status", "checks"];

/**
 * How many mailboxes may be measured at once. Each may take seconds, and the keeper has only 16 connections, which alerts and the
 * ending of sessions need too.
 */
const MOST_USES = 8;

/** The guard's client for the root process. Never throws: a keeper that is down or silent causes an error reply. */
export function createKeeperClient(path: string, usualMs: number = DEADLINE_MS) {
  let uses = 0;

  async function ask(command: KeeperCommand): Promise<KeeperReply> {
    if (command.verb !== "mailbox_use") return send(command);
    if (uses >= MOST_USES) return failed("is already measuring too many mailboxes");
    uses += 1;
    return send(command).finally(() => {
      uses -= 1;
    });
  }

  function send(command: KeeperCommand): Promise<KeeperReply> {
    return new Promise((resolve) => {
      const socket = connect(path);
      const framer = new Framer(CONTROL_REPLY_BYTES);
      const end = (reply: KeeperReply): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(reply);
      };
      const asksState = STATE_VERBS.includes(command.verb);
      const workMs = APPLY_VERBS.includes(command.verb) ? APPLY_DEADLINES * usualMs : usualMs;
      const deadlineMs = asksState ? Math.min(STATE_DEADLINE_MS, usualMs) : workMs;
      let mayBeDone: Pick<Failed, "mayBeDone"> = {};
      const fail = (what: string): void => end({ ...failed(what), ...mayBeDone });
      const timer = setTimeout(() => fail(`did not answer within ${deadlineMs / 1000} s`), deadlineMs);
      socket.once("connect", () => {
        if (!asksState) mayBeDone = { mayBeDone: true };
        socket.write(`${JSON.stringify(command)}\n`);
      });
      socket.on("data", (chunk: Buffer) => {
        const bounded = framer.push(chunk, (line) => {
          const reply = parseKeeperReply(line);
          if (reply === null) fail("sent an invalid reply");
          else end(reply);
        });
        if (!bounded) fail("sent a reply that is too long");
      });
      socket.once("error", (error) => fail(`cannot be reached (${error.message})`));
      socket.once("close", () => fail("hung up"));
    });
  }

  return { ask };
}

type Failed = Extract<KeeperReply, { ok: false }>;

function failed(what: string): Failed {
  return { ok: false, reason: `The keeper ${what}.` };
}
