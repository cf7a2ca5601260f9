import { messageOf } from "../../core/error.ts";
import type { EndOfMessage } from "../../core/events/mail.ts";
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

/**
 * The first milter of Postfix. It counts header lines and MIME parts, and asks `FilterLoad`, and through it the engine, about mail that
 * the other filters should not read, or not yet (`MilterQuestion`). Postfix reads the reply to one question before it continues.
 */
export function createMilterServer(submit: Submit, report: Report, isSuspect?: IsSuspect) {
  const buffer = readBuffer();
  // Each smtpd holds one connection while a client is connected.
  const server = new UnixServer(
    (socket): undefined => {
      const drop = (detail: string): void => {
        socket.destroy();
        report("internal_error", detail);
      };
      const judge = (mail: EndOfMessage): void => {
        try {
          submit(mail, (decision) => void socket.write(printMilterReply(decision)));
        } catch (error) {
          // No reply: Postfix takes the milter's default action.
          drop(printable(messageOf(error), 200));
        }
      };
      const replyTo = (question: MilterQuestion): void => {
        switch (question.type) {
          case "negotiate":
            socket.write(printNegotiation());
            break;
          case "more":
            socket.write(REPLY.continue);
            break;
          case "end":
            if (question.found === null) socket.write(REPLY.accept);
            else judge(question.found);
            break;
          case "quit":
            socket.end();
        }
      };
      socket.on("error", () => socket.destroy());
      const reader = new MilterReader(replyTo, isSuspect);
      readNow(socket, buffer, (chunk) => {
        if (!reader.push(chunk)) drop("not the milter protocol");
      });
    },
    POLICY_LIMITS.maxConnections,
    report,
  );
  return {
    start: (path: string) => server.start(path, 0o660),
    /** Without an answer, mail goes to the other milters. */
    stop: () => server.close(POLICY_LIMITS.stopMs),
  };
}
