import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { codeOf } from "../../core/error.ts";

/** The source address of probes over TCP, by which logs and rules distinguish them from clients. */
export type Target =
  | Readonly<{ path: string }>
  | Readonly<{ host: string; port: number; localAddress?: string; tls?: boolean }>;

export type Exchange = Readonly<{
  /** Sent as soon as the connection is open. */
  question?: string | Buffer;
  /** Whether the data so far, one character per byte, is the answer of a working part. */
  isAnswer: (said: string) => boolean;
  /** Whether the part reports that it cannot do its work: it is alive, and a restart would not help. */
  isRefusal?: (said: string) => boolean;
  /** Whether the end of the connection is the answer, as for protocols without a reply. */
  endsAnswer?: boolean;
  /** Sent after the answer, so that the other side logs an orderly end. */
  goodbye?: string;
}>;

/** More than any expected answer. */
const MOST_BYTES = 16_384;

/**
 * Connects, asks and waits for the answer. A frozen program still has its connections accepted by the kernel, until as
 * many wait as it allowed: then a unix socket refuses with EAGAIN (unix(7)). Never throws.
 */
export function exchange(
  target: Target,
  { question, isAnswer, isRefusal, endsAnswer = false, goodbye }: Exchange,
  timeoutMs: number,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    let said = "";
    const socket = open(target);
    const end = (result: ProbeResult): void => {
      clearTimeout(timer);
      if (result.ok && goodbye !== undefined) socket.end(goodbye);
      else socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => {
      socket.destroy();
      end({ ok: false, hangs: true, says: `gave no answer within ${timeoutMs / 1_000} s` });
    }, timeoutMs);
    socket.on("error", (error) => {
      const code = codeOf(error);
      if (code === "EAGAIN") end({ ok: false, hangs: true, says: "gave no answer to any of those who wait" });
      else end({ ok: false, hangs: false, says: `cannot be reached (${code === "" ? error.message : code})` });
    });
    socket.once("end", () => {
      if (endsAnswer) end({ ok: true });
    });
    socket.once("close", () => end({ ok: false, hangs: false, says: "hung up" }));
    socket.on("data", (chunk: Buffer) => {
      said += chunk.toString("latin1");
      if (isAnswer(said)) end({ ok: true });
      else if (isRefusal?.(said) === true || said.length > MOST_BYTES)
        end({ ok: false, hangs: false, says: "said something else than its answer" });
    });
    if (question !== undefined) socket.write(question);
  });
}

function open(target: Target): Socket {
  if ("path" in target) return connect(target.path);
  const { host, port, localAddress, tls = false } = target;
  const to = { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
  // Its validity does not matter here: the server's own certificate may be self-signed, or about to expire.
  return tls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
}
