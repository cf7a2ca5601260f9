import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { codeOf } from "../../core/error.ts";
import { parseConnections, TCP_TABLES } from "../../host/kernel/tcp-sockets.ts";
import { textOrNothing } from "../../host/machine/read-text.ts";
import { GOODBYE_MS } from "./port-dialogue.ts";

/** `localAddress`: the source address, by which logs and rules distinguish probes from clients. */
type Target = Readonly<{ host: string; port: number; localAddress?: string }> | Readonly<{ path: string }>;

export type Exchange = Readonly<{
  /** Over TLS from the start. The certificate is not verified, because the server's own may be self-signed or expired. */
  tls?: boolean;
  /** Sent as soon as the connection is open. */
  question?: string | Buffer;
  /** Whether the data so far, one character per byte, is the answer of a working part. */
  isAnswer: (received: string) => boolean;
  /** Whether the part reports that it cannot do its work: it is alive, and a restart would not help. */
  isRefusal?: (received: string) => boolean;
  /** Whether the end of the connection is the answer, as for protocols without a reply. */
  endsAnswer?: boolean;
  /** Sent after the answer, so that the other side logs an orderly end. */
  goodbye?: string;
}>;

/** More than any expected answer. */
const MOST_BYTES = 16_384;

/**
 * Connects, asks and waits for the answer. The kernel still accepts connections for a frozen program until its queue is full; then a unix
 * socket refuses with EAGAIN (unix(7)). Never throws.
 */
export function exchange(
  target: Target,
  { tls = false, question, isAnswer, isRefusal, endsAnswer = false, goodbye }: Exchange,
  timeoutMs: number,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    let received = "";
    const socket = tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
    const end = (result: ProbeResult): void => {
      clearTimeout(timer);
      if (result.ok && goodbye !== undefined) {
        socket.end(goodbye);
        setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
      } else socket.destroy();
      resolve(result);
    };
    const says = `gave no answer within ${timeoutMs / 1_000} s`;
    const timer = setTimeout(() => end({ ok: false, hangs: true, says }), timeoutMs);
    socket.on("error", (error) => {
      const code = codeOf(error);
      if (code === "EAGAIN") end({ ok: false, hangs: true, says: "gave no answer to any waiting connection" });
      else end({ ok: false, hangs: false, says: `cannot be reached (${code === "" ? error.message : code})` });
    });
    socket.once("end", () => {
      if (endsAnswer) end({ ok: true });
    });
    socket.once("close", () => end({ ok: false, hangs: false, says: "hung up" }));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (isAnswer(received)) end({ ok: true });
      else if (isRefusal?.(received) === true || received.length > MOST_BYTES)
        end({ ok: false, hangs: false, says: "gave an unexpected answer" });
    });
    if (question !== undefined) socket.write(question);
  });
}

/** A port of which at least this share of connections is in use may be silent because it is full. */
const CROWDED = 2 / 3;

/** A full port is as silent as a hung one, but serves its clients. Without this, strangers could cause a restart that cuts them off. */
export function unlessCrowded(result: ProbeResult, port: number, places: number): ProbeResult {
  if (result.ok || !result.hangs) return result;
  // All connections to the local port count, including those that only the client has closed.
  const ports = new Set([port]);
  const open = TCP_TABLES.flatMap((table) => parseConnections(textOrNothing(table), ports)).length;
  if (open < places * CROWDED) return result;
  return { ...result, hangs: false, says: `${result.says} while most of its places are taken` };
}

/** The head of the dashboard's first page (RFC 9110 section 9.3.2). `name`: one under which the dashboard answers. */
export function pageHead(name: string): Exchange {
  const question = `HEAD / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`;
  return { question, isAnswer: (received) => received.startsWith("HTTP/1.1 200 ") };
}
