import { connect, type Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";

export type PortTarget = Readonly<{
  port: number;
  /** The machine itself unless it is given. */
  host?: string | undefined;
  localAddress?: string | undefined;
  /** TLS from the start. */
  tls?: ConnectionOptions | undefined;
  timeoutMs: number;
}>;

/** More than any expected answer. */
const MOST_CHARACTERS = 65_536;
/** How long the other side may take to hang up. */
const GOODBYE_MS = 1_000;
/** A whole reply of SMTP: its last line has a blank after the code (RFC 5321 section 4.2.1). */
export const SMTP_REPLY = /^\d{3}(?: .*)?\r\n/m;

/**
 * A line-by-line dialogue with a port of this machine. A failure rejects the pending call. Node's TLS, which reads all
 * authorities' certificates at once (1 MB), is loaded only when needed: the guard uses none here.
 */
export class PortDialogue {
  #socket: Socket;
  #tls: TLSSocket | null = null;
  #said = "";
  #failure: Error | null = null;
  #wake: () => void = () => undefined;
  readonly #timer: NodeJS.Timeout;

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = this.#listen(socket);
    this.#timer = setTimeout(() => {
      this.#fail(Object.assign(new Error(`gave no answer within ${timeoutMs / 1_000} s`), { code: "ETIMEDOUT" }));
    }, timeoutMs);
  }

  static async open({ host = "127.0.0.1", port, localAddress, tls, timeoutMs }: PortTarget): Promise<PortDialogue> {
    const to = localAddress === undefined ? { host, port } : { host, port, localAddress };
    if (tls === undefined) {
      const dialogue = new PortDialogue(connect(to), timeoutMs);
      await dialogue.#once("connect");
      return dialogue;
    }
    const { connect: connectTls } = await import("node:tls");
    const socket = connectTls({ ...tls, ...to });
    const dialogue = new PortDialogue(socket, timeoutMs);
    dialogue.#tls = socket;
    await dialogue.#once("secureConnect");
    return dialogue;
  }

  /** Reads up to the end of a match. */
  async hears(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#said);
      if (found !== null) {
        const end = found.index + found[0].length;
        const heard = this.#said.slice(0, end);
        this.#said = this.#said.slice(end);
        return heard;
      }
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Sends a line and reads the answer. */
  ask(line: string, pattern: RegExp = SMTP_REPLY): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return this.hears(pattern);
  }

  /** Starts TLS. */
  async startTls(options: ConnectionOptions): Promise<void> {
    const { connect: connectTls } = await import("node:tls");
    const plain = this.#socket;
    for (const event of ["data", "end", "close"]) plain.removeAllListeners(event);
    this.#said = "";
    this.#tls = connectTls({ ...options, socket: plain });
    this.#socket = this.#listen(this.#tls);
    await this.#once("secureConnect");
  }

  /** Null before TLS. */
  get tls(): TLSSocket | null {
    return this.#tls;
  }

  /** `goodbye`: so that the other side logs an orderly end. */
  close(goodbye = ""): void {
    clearTimeout(this.#timer);
    if (goodbye === "") this.#socket.destroy();
    else this.#socket.setTimeout(GOODBYE_MS, () => this.#socket.destroy()).end(`${goodbye}\r\n`);
  }

  #listen(socket: Socket): Socket {
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("hung up")));
    socket.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString("latin1");
      if (this.#said.length > MOST_CHARACTERS) this.#fail(new Error("answered without an end"));
      this.#wake();
    });
    return socket;
  }

  #once(event: "connect" | "secureConnect"): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once(event, () => resolve());
      this.#wake = () => {
        if (this.#failure !== null) reject(this.#failure);
      };
      this.#wake();
    });
  }

  /** The first failure counts: the others follow from it. */
  #fail(error: Error): void {
    this.#failure ??= error;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#wake();
  }
}
