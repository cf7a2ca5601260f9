import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { patience } from "../kit/patience.ts";
import type { Host, Wish } from "./host.ts";

export type SmtpReply = Readonly<{ code: number; lines: readonly string[] }>;

export type Dialog = Awaited<ReturnType<typeof openDialog>>;

/** A line-by-line conversation with a server. Every wait has a deadline; errors include the transcript. */
export async function openDialog(host: Host, wish: Wish & Readonly<{ tls?: boolean }>) {
  const connected = await host.connect(wish);
  if (!connected.ok) throw new Error(`${wish.from} -> [${wish.to}]:${wish.port}: ${connected.code}`);
  let { socket }: { socket: Socket } = connected;
  const transcript: string[] = [];
  const unread: string[] = [];
  let rest = "";
  let isClosed = false;
  let wake = (): void => {};

  const onData = (chunk: Buffer): void => {
    const lines = (rest + chunk.toString("latin1")).split("\r\n");
    rest = lines.pop() ?? "";
    for (const each of lines) transcript.push(`S: ${each}`);
    unread.push(...lines);
    wake();
  };
  const onClose = (): void => {
    isClosed = true;
    wake();
  };
  const listen = () => socket.on("data", onData).on("close", onClose).on("end", onClose).on("error", onClose);
  listen();

  async function once(isSo: () => boolean, otherwise: string, deadlineMs: number): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        if (isSo()) resolve();
        else reject(new Error(`${otherwise} ${deadlineMs} ms\n${transcript.join("\n")}`));
      }, patience(deadlineMs));
      wake = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const send = (text: string): void => {
    transcript.push(`C: ${text}`);
    if (!isClosed) socket.write(`${text}\r\n`);
  };

  /** The server's next line; null when it has closed the connection. */
  const line = async (deadlineMs = 15_000): Promise<string | null> => {
    await once(() => unread.length > 0 || isClosed, "the server said nothing for", deadlineMs);
    return unread.shift() ?? null;
  };

  /** A whole SMTP reply (RFC 5321, 4.2.1); code 0 when the server has closed the connection. */
  const reply = async (deadlineMs?: number): Promise<SmtpReply> => {
    const lines: string[] = [];
    for (;;) {
      const next = await line(deadlineMs);
      if (next === null) return { code: 0, lines };
      lines.push(next.slice(4));
      if (next[3] !== "-") return { code: Number(next.slice(0, 3)), lines };
    }
  };

  /** An IMAP command; returns all lines up to the tagged one, which is the last (RFC 9051, 2.2.2). */
  const imap = async (command: string, deadlineMs?: number): Promise<readonly string[]> => {
    const tag = `t${transcript.length}`;
    send(`${tag} ${command}`);
    const lines: string[] = [];
    for (;;) {
      const next = await line(deadlineMs);
      if (next === null) return lines;
      lines.push(next);
      if (next.startsWith(`${tag} `)) return lines;
    }
  };

  const startTls = async (): Promise<void> => {
    socket.off("data", onData).off("close", onClose).off("end", onClose);
    // The certificate is self-signed by design; the test is about the conversation.
    const secured = connectTls({ socket, rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      secured.once("secureConnect", resolve);
      secured.once("error", reject);
      secured.once("close", () => reject(new Error("closed during the TLS handshake")));
    });
    socket = secured;
    transcript.push("-- tls --");
    listen();
  };
  if (wish.tls === true) await startTls();

  const close = (): void => void socket.destroy();
  return {
    transcript,
    get isClosed() {
      return isClosed;
    },
    send,
    /** Sends exactly these bytes, without a line end. */
    sendRaw: (text: string): void => {
      transcript.push(`C: ${text.length > 10_000 ? `${text.length} bytes` : JSON.stringify(text)}`);
      if (!isClosed) socket.write(text);
    },
    line,
    reply,
    ask: (text: string, deadlineMs?: number): Promise<SmtpReply> => {
      send(text);
      return reply(deadlineMs);
    },
    imap,
    /** Resolves once the server has closed the connection. */
    closed: (deadlineMs = 10_000) => once(() => isClosed, "still open after", deadlineMs),
    startTls,
    close,
    [Symbol.dispose]: close,
  };
}
