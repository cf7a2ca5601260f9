import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Layout } from "../settings/layout.ts";
import type { KeeperTrouble } from "../wire/control.ts";

const ANSWER_MS = 1_000;
/** A question as Postfix asks it, of a recipient who is never greylisted. */
const QUESTION = [
  "request=smtpd_access_policy",
  "protocol_state=RCPT",
  "client_address=127.0.0.1",
  "client_name=localhost",
  "sender=",
  "recipient=postmaster@localhost",
  "",
  "",
].join("\n");

/** Asks Postgrey whether it answers: one that is frozen looks like one that runs, and costs each first contact time. */
export class PostgreyWatch {
  readonly #layout: Layout;
  /** Told from the second look on: it may just be starting. */
  #silentLooks = 0;
  #looking = false;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** One at a time. Never throws. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const speaks = !this.#isWanted() || (await answers(this.#layout.greylistSocket));
    this.#silentLooks = speaks ? 0 : this.#silentLooks + 1;
    this.#looking = false;
  }

  troubles(): readonly KeeperTrouble[] {
    if (this.#silentLooks < 2) return [];
    return [{ code: "greylist_silent", detail: `no answer at ${this.#layout.greylistSocket}` }];
  }

  /** What is in force, whatever the settings say by now. */
  #isWanted(): boolean {
    const command = join(this.#layout.postgreyConf, "command");
    return existsSync(command) && readFileSync(command, "utf8").includes(this.#layout.greylistSocket);
  }
}

function answers(path: string): Promise<boolean> {
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
    socket.write(QUESTION);
  });
}
