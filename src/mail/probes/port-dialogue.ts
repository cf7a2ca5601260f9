import type { X509Certificate } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { codeOf, messageOf } from "../../core/error.ts";

type PortTarget = Readonly<{
  port: number;
  /** Default: this machine. */
  host?: string | undefined;
  localAddress?: string | undefined;
  /** TLS from the start. */
  tls?: ConnectionOptions | undefined;
  timeoutMs: number;
}>;

/** More than any expected answer. */
const MOST_CHARACTERS = 65_536;
/** How long the other side may take to hang up. */
export const GOODBYE_MS = 1_000;
export const SMTP_PORT = 25;
/** A complete SMTP reply: its last line has a blank after the code (RFC 5321 section 4.2.1). */
export const SMTP_REPLY = /^\d{3}(?: .*)?\r\n/m;

/**
 * A line-by-line dialogue with a port of this machine. A failure rejects the pending call. Node's TLS, which reads all
 * authorities' certificates at once (1 MB), is loaded only when needed: the guard uses none here.
 */
export class PortDialogue {
  #socket: Socket;
  #tls: TLSSocket | null = null;
  #received = "";
  #failure: Error | null = null;
  #wake: () => void = () => undefined;
  readonly #timer: NodeJS.Timeout;

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = this.#listen(socket);
    this.#timer = setTimeout(() => {
      this.#fail(Object.assign(new Error(`gave no answer within ${timeoutMs / 1_000} s`), { code: "ETIMEDOUT" }));
    }, timeoutMs);
  }

  /** Opens a dialogue for `talk`, and ends it: with `goodbye`, or at once if `talk` fails. */
  static async run<T>(target: PortTarget, goodbye: string, talk: (dialogue: PortDialogue) => Promise<T>): Promise<T> {
    const dialogue = await PortDialogue.open(target);
    try {
      const outcome = await talk(dialogue);
      dialogue.close(goodbye);
      return outcome;
    } catch (error) {
      dialogue.close();
      throw error;
    }
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
      const found = pattern.exec(this.#received);
      if (found !== null) {
        const end = found.index + found[0].length;
        const reply = this.#received.slice(0, end);
        this.#received = this.#received.slice(end);
        return reply;
      }
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  ask(line: string, pattern: RegExp = SMTP_REPLY): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return this.hears(pattern);
  }

  async startTls(options: ConnectionOptions): Promise<void> {
    const { connect: connectTls } = await import("node:tls");
    const plain = this.#socket;
    for (const event of ["data", "end", "close"]) plain.removeAllListeners(event);
    this.#received = "";
    this.#tls = connectTls({ ...options, socket: plain });
    this.#socket = this.#listen(this.#tls);
    await this.#once("secureConnect");
  }

  /** Null before TLS. */
  get tls(): TLSSocket | null {
    return this.#tls;
  }

  /** Sends `goodbye`, if any, so that the other side logs an orderly end. */
  close(goodbye = ""): void {
    clearTimeout(this.#timer);
    if (goodbye === "") this.#socket.destroy();
    else this.#socket.setTimeout(GOODBYE_MS, () => this.#socket.destroy()).end(`${goodbye}\r\n`);
  }

  #listen(socket: Socket): Socket {
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("hung up")));
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      if (this.#received.length > MOST_CHARACTERS) this.#fail(new Error("sent a reply that is too long"));
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

/** A TLS port of the server, how TLS starts there, and how its protocol ends. */
export type TlsPort = Readonly<{ name: string; port: number; tlsStart: "at_once" | "starttls"; goodbye: string }>;
export type Handshake =
  | Readonly<{
      ok: true;
      protocol: string;
      cipher: string;
      certificate: X509Certificate | null;
      /** Why no public authority vouches for it; null if one does. */
      distrust: string | null;
    }>
  | Readonly<{ ok: false; code: string; says: string; stage: "connect" | "tls" }>;

type HandshakeOptions = Readonly<{
  localAddress: string;
  /** The name for SNI (RFC 6066 section 3). */
  servername: string;
  timeoutMs: number;
  /** The offered protocol versions; default: those usual today. */
  offer?: Offer | undefined;
  /** An address of this machine; otherwise loopback. */
  host?: string | undefined;
}>;

export type Offer = Pick<ConnectionOptions, "minVersion" | "maxVersion" | "ciphers">;
/** Versions that servers must refuse today (RFC 8996; RFC 9325 section 4.1). Below security level 1 OpenSSL offers all it has. */
export const OFFERS = {
  old: { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
  weak: { maxVersion: "TLSv1.2", ciphers: "aNULL:eNULL:LOW:EXPORT:RC4:3DES:MD5:@SECLEVEL=0" },
} as const satisfies Record<string, Offer>;

/** Starts TLS at a port as a client does, and ends. Never throws. */
export async function handshake(tlsPort: Omit<TlsPort, "name">, options: HandshakeOptions): Promise<Handshake> {
  const { localAddress, servername, timeoutMs, offer, host } = options;
  const tls: ConnectionOptions = {
    servername,
    // The caller verifies the certificate.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...offer,
  };
  let stage: "connect" | "tls" = tlsPort.tlsStart === "at_once" ? "tls" : "connect";
  try {
    const target = { host, port: tlsPort.port, localAddress, timeoutMs };
    const opened = tlsPort.tlsStart === "at_once" ? { ...target, tls } : target;
    return await PortDialogue.run(opened, tlsPort.goodbye, async (dialogue) => {
      if (tlsPort.tlsStart === "starttls") {
        await dialogue.hears(SMTP_REPLY);
        await dialogue.ask("EHLO probe.localhost");
        const answer = await dialogue.ask("STARTTLS");
        if (!answer.startsWith("220")) return { ok: false, code: "no_starttls", says: answer.trim(), stage };
        stage = "tls";
        await dialogue.startTls(tls);
      }
      const { tls: session } = dialogue;
      if (session === null) return { ok: false, code: "plain", says: "speaks no TLS", stage };
      return {
        ok: true,
        protocol: session.getProtocol() ?? "",
        cipher: session.getCipher().name,
        certificate: session.getPeerX509Certificate() ?? null,
        distrust: session.authorized ? null : String(session.authorizationError),
      };
    });
  } catch (error) {
    const code = codeOf(error);
    const refused = code.startsWith("ECONNREFUSED") || code.startsWith("EADDR");
    return { ok: false, code, says: messageOf(error), stage: refused ? "connect" : stage };
  }
}

/** The greeting of the mail server at this address. */
export function greetingAt(host: string, timeoutMs: number): Promise<string> {
  return PortDialogue.run({ host, port: SMTP_PORT, timeoutMs }, "QUIT", (dialogue) => dialogue.hears(SMTP_REPLY));
}

const AT_ONCE = 200;
const TIMEOUT_MS = 1_000;

/** Which of these ports accept a connection at an address of this machine. Closes each connection at once. */
export async function openPorts(host: string, ports: readonly number[]): Promise<readonly number[]> {
  const open: number[] = [];
  const waiting = ports.values();
  const scan = async (): Promise<void> => {
    for (const port of waiting) if (await acceptsConnection(host, port)) open.push(port);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, scan));
  return open.toSorted((a, b) => a - b);
}

function acceptsConnection(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(TIMEOUT_MS, () => end(false));
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
