import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { SECOND_MS } from "../../core/time.ts";
import { isTaken, nextRelpNumber, RELP_OFFER, type RelpFrame, RelpReader, relpFrame } from "../../wire/syslog/relp.ts";

type Sending = Readonly<{ resolve: () => void; reject: (error: Error) => void }>;

/** One connection of RELP. After an error it is closed; unanswered messages may or may not have arrived. */
export class RelpSession {
  readonly #socket: TLSSocket;
  readonly #timeoutMs: number;
  readonly #reader = new RelpReader();
  readonly #unanswered = new Set<number>();
  #number = 0;
  #sending: Sending | null = null;
  #error: Error | null = null;

  private constructor(socket: TLSSocket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the receiver closed the connection")));
    socket.on("timeout", () => {
      if (this.#sending !== null) this.#fail(new Error(`no answer within ${timeoutMs / SECOND_MS} s`));
    });
  }

  /** Takes over a connecting socket. Rejects if no session can be opened. */
  static async open(socket: TLSSocket, timeoutMs: number): Promise<RelpSession> {
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${timeoutMs / SECOND_MS} s`)),
      timeoutMs,
    );
    try {
      await once(socket, "secureConnect");
    } finally {
      clearTimeout(timer);
    }
    const session = new RelpSession(socket, timeoutMs);
    await session.#exchange([{ command: "open", data: RELP_OFFER }]);
    return session;
  }

  get isOpen(): boolean {
    return this.#error === null;
  }

  /** Resolves once the receiver has taken every message. */
  send(messages: readonly string[]): Promise<void> {
    return this.#exchange(messages.map((data) => ({ command: "syslog", data })));
  }

  close(): void {
    this.#error ??= new Error("closed");
    this.#number = nextRelpNumber(this.#number);
    this.#socket.end(relpFrame({ number: this.#number, command: "close", data: "" }));
    this.#socket.setTimeout(SECOND_MS, () => this.#socket.destroy());
  }

  #exchange(requests: readonly Omit<RelpFrame, "number">[]): Promise<void> {
    if (this.#error !== null) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#sending = { resolve, reject };
      this.#socket.setTimeout(this.#timeoutMs);
      const frames = requests.map((request) => {
        this.#number = nextRelpNumber(this.#number);
        this.#unanswered.add(this.#number);
        return relpFrame({ number: this.#number, ...request });
      });
      this.#socket.write(frames.join(""));
    });
  }

  #read(chunk: Buffer): void {
    const frames = this.#reader.push(chunk);
    if (frames === null) return this.#fail(new Error("the receiver does not speak RELP"));
    for (const frame of frames) {
      if (frame.command === "serverclose") return this.#fail(new Error("the receiver ends the session"));
      if (!isTaken(frame)) return this.#fail(new Error(`the receiver refuses: ${frame.data}`));
      this.#unanswered.delete(frame.number);
    }
    if (this.#unanswered.size > 0) return;
    this.#socket.setTimeout(0);
    this.#sending?.resolve();
    this.#sending = null;
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#sending?.reject(error);
    this.#sending = null;
    this.#socket.destroy();
  }
}
