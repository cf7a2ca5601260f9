import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Layout } from "../../settings/layout.ts";
import type { KeeperTrouble } from "../../wire/control/keeper.ts";

const ANSWER_MS = 1_000;

export type WatchedSocket = Readonly<{
  code: KeeperTrouble["code"];
  path: string;
  /** Any reply is an answer. */
  question: string | Buffer;
  /** Whether the configuration in force needs it, whatever the settings say by now. */
  isWanted: () => boolean;
}>;

/** As Postfix asks it (SMTPD_POLICY_README), about a recipient that is never greylisted. */
export function postgreySocket({ greylistSocket, postgreyConf }: Layout): WatchedSocket {
  const question = [
    "request=smtpd_access_policy",
    "protocol_state=RCPT",
    "client_address=127.0.0.1",
    "client_name=localhost",
    "sender=",
    "recipient=postmaster@localhost",
    "",
    "",
  ].join("\n");
  const command = join(postgreyConf, "command");
  const isWanted = (): boolean => existsSync(command) && readFileSync(command, "utf8").includes(greylistSocket);
  return { code: "greylist_silent", path: greylistSocket, question, isWanted };
}

/** The first packet of the milter protocol, SMFIC_OPTNEG: version 6, no options. */
export function rspamdSocket({ rspamdSocket: path, rspamdConf }: Layout): WatchedSocket {
  const question = Buffer.alloc(17);
  question.writeUInt32BE(13, 0);
  question.write("O", 4);
  question.writeUInt32BE(6, 5);
  return { code: "verifier_silent", path, question, isWanted: () => existsSync(join(rspamdConf, "rspamd.conf")) };
}

/** Checks whether a service answers: a hanging one looks as if it ran, and costs each mail time. */
export class SocketWatch {
  readonly #socket: WatchedSocket;
  /** Reported from the second check on: it may just be starting. */
  #silentLooks = 0;
  #looking = false;

  constructor(socket: WatchedSocket) {
    this.#socket = socket;
  }

  /** One at a time. Never throws. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const speaks = !this.#socket.isWanted() || (await answers(this.#socket));
    this.#silentLooks = speaks ? 0 : this.#silentLooks + 1;
    this.#looking = false;
  }

  troubles(): readonly KeeperTrouble[] {
    const { code, path } = this.#socket;
    return this.#silentLooks < 2 ? [] : [{ code, detail: `no answer at ${path}` }];
  }
}

function answers({ path, question }: WatchedSocket): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(ANSWER_MS, () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
    socket.once("data", () => end(true));
    socket.write(question);
  });
}
