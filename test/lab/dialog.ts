import type { Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { patience } from "../kit/patience.ts";
import type { Host, Wish } from "./host.ts";

export type SmtpReply = Readonly<{ code: number; lines: readonly string[] }>;

/** A line-by-line conversation with a server. Each wait has a deadline; the transcript is kept for the error. */
export class Dialog {
  readonly transcript: string[] = [];
  #socket: Socket | TLSSocket;
  readonly #lines: string[] = [];
  #rest = "";
  #closed = false;
  #wake: () => void = () => {};
  readonly #onData = (chunk: Buffer): void => this.#take(chunk.toString("latin1"));
  readonly #onClose = (): void => {
    this.#closed = true;
    this.#wake();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  /** Throws when the connection is not made. */
  static async open(host: Host, wish: Wish & Readonly<{ tls?: boolean }>): Promise<Dialog> {
    const connected = await host.connect(wish);
    if (!connected.ok) throw new Error(`${wish.from} -> [${wish.to}]:${wish.port}: ${connected.code}`);
    const dialog = new Dialog(connected.socket);
    if (wish.tls === true) await dialog.startTls();
    return dialog;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  send(line: string): void {
    this.transcript.push(`C: ${line}`);
    if (!this.#closed) this.#socket.write(`${line}\r\n`);
  }

  /** Sends exactly these bytes, without a line end. */
  sendRaw(text: string): void {
    this.transcript.push(`C: ${text.length > 10_000 ? `${text.length} bytes` : JSON.stringify(text)}`);
    if (!this.#closed) this.#socket.write(text);
  }

  /** The next line of the server; null when it has closed the connection. */
  async line(deadlineMs = 15_000): Promise<string | null> {
    await this.#once(() => this.#lines.length > 0 || this.#closed, "the server said nothing for", deadlineMs);
    return this.#lines.shift() ?? null;
  }

  /** A whole SMTP reply (RFC 5321, 4.2.1); code 0 when the server has closed the connection. */
  async reply(deadlineMs?: number): Promise<SmtpReply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line(deadlineMs);
      if (line === null) return { code: 0, lines };
      lines.push(line.slice(4));
      if (line[3] !== "-") return { code: Number(line.slice(0, 3)), lines };
    }
  }

  async ask(line: string, deadlineMs?: number): Promise<SmtpReply> {
    this.send(line);
    return this.reply(deadlineMs);
  }

  /** An IMAP command; returns all lines up to the tagged one, which is the last (RFC 9051, 2.2.2). */
  async imap(command: string, deadlineMs?: number): Promise<readonly string[]> {
    const tag = `t${this.transcript.length}`;
    this.send(`${tag} ${command}`);
    const lines: string[] = [];
    for (;;) {
      const line = await this.line(deadlineMs);
      if (line === null) return lines;
      lines.push(line);
      if (line.startsWith(`${tag} `)) return lines;
    }
  }

  /** Resolves once the server has closed the connection. */
  async closed(deadlineMs = 10_000): Promise<void> {
    await this.#once(() => this.#closed, "still open after", deadlineMs);
  }

  async startTls(): Promise<void> {
    this.#socket.off("data", this.#onData).off("close", this.#onClose).off("end", this.#onClose);
    // The certificate is self-signed by design; the test is about the conversation.
    const secured = connectTls({ socket: this.#socket, rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      secured.once("secureConnect", resolve);
      secured.once("error", reject);
      secured.once("close", () => reject(new Error("closed during the TLS handshake")));
    });
    this.#socket = secured;
    this.transcript.push("-- tls --");
    this.#listen();
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on("data", this.#onData).on("close", this.#onClose).on("end", this.#onClose);
    this.#socket.on("error", this.#onClose);
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\r\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.transcript.push(`S: ${line}`);
    this.#lines.push(...lines);
    this.#wake();
  }

  async #once(isSo: () => boolean, otherwise: string, deadlineMs: number): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        if (isSo()) resolve();
        else reject(new Error(`${otherwise} ${deadlineMs} ms\n${this.transcript.join("\n")}`));
      }, patience(deadlineMs));
      this.#wake = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
