import type { Socket } from "node:net";
import { messageOf } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import type { Submit } from "../../guard/ports.ts";
import { readBuffer, readNow } from "../../host/sockets/direct-socket.ts";
import { type Report, UnixServer } from "../../host/sockets/unix-socket.ts";
import {
  type IsSuspect,
  type MilterQuestion,
  MilterReader,
  printMilterReply,
  printNegotiation,
  REPLY,
} from "./milter.ts";
import { POLICY_LIMITS } from "./policy-server.ts";

const SOCKET_MODE = 0o660;

/**
 * The first milter of Postfix. It counts header lines and MIME parts, and asks `FilterLoad`, and through it the engine, about mail that
 * the other filters should not read, or not yet (`MilterQuestion`). Postfix reads the reply to one question before it continues.
 */
export class MilterServer {
  readonly #server: UnixServer<undefined>;
  readonly #submit: Submit;
  readonly #report: Report;
  readonly #isSuspect: IsSuspect | undefined;
  readonly #buffer = readBuffer();

  constructor(submit: Submit, report: Report, isSuspect?: IsSuspect) {
    this.#submit = submit;
    this.#report = report;
    this.#isSuspect = isSuspect;
    // Each smtpd holds one while a client is connected.
    this.#server = new UnixServer((socket) => this.#serve(socket), POLICY_LIMITS.maxConnections, report);
  }

  start(path: string): Promise<void> {
    return this.#server.start(path, SOCKET_MODE);
  }

  /** Without an answer, mail goes to the other milters. */
  stop(): Promise<void> {
    return this.#server.close(POLICY_LIMITS.stopMs);
  }

  #serve(socket: Socket): undefined {
    socket.on("error", () => socket.destroy());
    const reader = new MilterReader((question) => this.#take(socket, question), this.#isSuspect);
    readNow(socket, this.#buffer, (chunk) => {
      if (!reader.push(chunk)) this.#drop(socket, "not the milter protocol");
    });
  }

  #take(socket: Socket, question: MilterQuestion): void {
    switch (question.type) {
      case "negotiate":
        return void socket.write(printNegotiation());
      case "more":
        return void socket.write(REPLY.continue);
      case "quit":
        return void socket.end();
      case "end":
        return question.found === null ? void socket.write(REPLY.accept) : this.#judge(socket, question.found);
    }
  }

  #judge(socket: Socket, mail: Parameters<Submit>[0]): void {
    try {
      this.#submit(mail, (decision) => void socket.write(printMilterReply(decision)));
    } catch (error) {
      // No reply: Postfix takes the milter's default action.
      this.#drop(socket, printable(messageOf(error), 200));
    }
  }

  #drop(socket: Socket, detail: string): void {
    socket.destroy();
    this.#report("internal_error", detail);
  }
}
