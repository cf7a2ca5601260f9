import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { printable } from "../../core/text.ts";
import type { Outcome } from "../../engine/ports.ts";

export type SmtpServer = Readonly<{
  host: string;
  port: number;
  /** `plain` on loopback alone; `starttls` never goes on without TLS. */
  security: "plain" | "starttls" | "tls";
  /** Who may vouch for it; undefined for whom Node trusts. */
  authorities: readonly string[] | undefined;
  login: Readonly<{ user: string; password: string }> | null;
  /** The name for EHLO. */
  helo: string;
  lookup: LookupFunction;
}>;

export type SmtpMail = Readonly<{ from: string; to: readonly string[]; text: string }>;

const DEADLINE_MS = 25_000;
const MOST_REPLY_BYTES = 10_000;
const SHOWN = 200;

class Refused extends Error {}

/** One mail in one session (RFC 5321). Ok once the server took it for at least one recipient. Never rejects. */
export async function sendMail(server: SmtpServer, mail: SmtpMail): Promise<Outcome> {
  const session = new Session(server);
  const timer = setTimeout(() => session.abort(`no end within ${DEADLINE_MS / 1000} s`), DEADLINE_MS);
  try {
    await session.open();
    await session.deliver(mail);
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: printable(error instanceof Error ? error.message : String(error), SHOWN) };
  } finally {
    clearTimeout(timer);
    session.close();
  }
}

type Reply = Readonly<{ code: number; lines: readonly string[] }>;

class Session {
  readonly #server: SmtpServer;
  #socket: Socket | TLSSocket;
  #text = "";
  #error: Error | null = null;
  #wake: () => void = () => undefined;
  #extensions: readonly string[] = [];

  constructor(server: SmtpServer) {
    const { host, port, security, lookup } = server;
    this.#server = server;
    this.#socket =
      security === "tls" ? connectTls({ ...this.#tls(), host, port, lookup }) : connect({ host, port, lookup });
    this.#listen();
  }

  async open(): Promise<void> {
    const { security, login } = this.#server;
    this.#must(await this.#reply(), 220);
    await this.#hello();
    if (security === "starttls") {
      if (!this.#extensions.includes("STARTTLS")) throw new Refused("the relay offers no STARTTLS");
      this.#must(await this.#ask("STARTTLS"), 220);
      this.#startTls();
      await this.#hello();
    }
    if (login !== null) {
      // RFC 4616.
      const response = Buffer.from(`\0${login.user}\0${login.password}`).toString("base64");
      this.#must(await this.#ask(`AUTH PLAIN ${response}`), 235);
    }
  }

  async deliver({ from, to, text }: SmtpMail): Promise<void> {
    this.#must(await this.#ask(`MAIL FROM:<${from}>`), 250);
    let refused: Reply | null = null;
    let taken = 0;
    for (const recipient of to) {
      const reply = await this.#ask(`RCPT TO:<${recipient}>`);
      if (reply.code === 250 || reply.code === 251) taken += 1;
      else refused = reply;
    }
    if (taken === 0 && refused !== null) this.#must(refused, 250);
    this.#must(await this.#ask("DATA"), 354);
    const stuffed = text.replace(/^\./gm, "..");
    this.#must(await this.#ask(`${stuffed.endsWith("\r\n") ? stuffed : `${stuffed}\r\n`}.`), 250);
  }

  /** Whoever waits for a reply learns why there will be none. */
  abort(why: string): void {
    this.#error ??= new Refused(why);
    this.#wake();
  }

  close(): void {
    if (this.#socket.writable) this.#socket.end("QUIT\r\n");
    setTimeout(() => this.#socket.destroy(), 1_000).unref();
  }

  async #hello(): Promise<void> {
    const reply = await this.#ask(`EHLO ${this.#server.helo}`);
    this.#must(reply, 250);
    this.#extensions = reply.lines.map((line) => line.slice(4).toUpperCase());
  }

  #tls() {
    const { host, authorities } = this.#server;
    return {
      minVersion: "TLSv1.2" as const,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(authorities === undefined ? {} : { ca: [...authorities] }),
    };
  }

  /** What came before TLS counts for nothing (RFC 3207, 4.2). */
  #startTls(): void {
    this.#text = "";
    this.#socket.removeAllListeners();
    this.#socket = connectTls({ ...this.#tls(), host: this.#server.host, socket: this.#socket });
    this.#listen();
  }

  #listen(): void {
    this.#socket.on("error", (error: Error) => this.abort(error.message));
    this.#socket.on("close", () => this.abort("it hung up"));
    this.#socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      if (this.#text.length > MOST_REPLY_BYTES) this.abort("it says too much");
      this.#wake();
    });
  }

  #ask(line: string): Promise<Reply> {
    this.#socket.write(`${line}\r\n`);
    return this.#reply();
  }

  async #reply(): Promise<Reply> {
    for (;;) {
      const whole = /^(?:\d{3}-[^\n]*\n)*(\d{3})(?: [^\n]*)?\n/.exec(this.#text);
      if (whole !== null) {
        this.#text = this.#text.slice(whole[0].length);
        const lines = whole[0].trimEnd().split(/\r?\n/);
        return { code: Number(whole[1]), lines };
      }
      if (this.#error !== null) throw this.#error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #must(reply: Reply, code: number): void {
    if (reply.code !== code) throw new Refused(`it answered ${reply.lines.at(-1) ?? reply.code}`);
  }
}
