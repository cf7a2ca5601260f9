import { connect } from "node:net";
import type { Outcome } from "../../engine/ports.ts";

/** Asks spamd whether it works (PING of its protocol). A hanging one accepts the connection and does not answer. */
export function pingSpamd(socketPath: string, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const fail = (reason: string): void => finish({ ok: false, reason });
    const timer = setTimeout(() => fail(`spamd said nothing for ${timeoutMs / 1000} s`), timeoutMs);
    socket.once("error", (error: NodeJS.ErrnoException) => fail(`spamd does not listen (${error.code ?? "error"})`));
    socket.once("close", () => fail("spamd hung up"));
    socket.once("data", (said: Buffer) => {
      if (/^SPAMD\/[\d.]+ 0 PONG/.test(said.toString("latin1"))) finish({ ok: true });
      else fail("spamd said something else than PONG");
    });
    socket.write("PING SPAMC/1.5\r\n\r\n");
  });
}
