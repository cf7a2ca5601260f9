import { X509Certificate } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "node:tls";
import type { Looked } from "./follow-certificate.ts";

const PATIENCE_MS = 5_000;
const LOOK_MS = 100;
/** Connections in a row that must get it: a process that started before the change may still accept one of them. */
const IN_A_ROW = 3;

/** The part of `config apply`'s output about the certificate: nothing if it is the same as before. */
export async function certificateNews(
  { fresh, failed }: Looked,
  ports: readonly number[],
  patienceMs = PATIENCE_MS,
): Promise<readonly string[]> {
  if (failed !== null) return [`The new certificate is not in use: ${failed}`];
  if (fresh === null) return [];
  const late = await notServing(fresh, ports, patienceMs);
  if (late.length === 0) return ["New connections get the new certificate."];
  return [`Port ${late.join(" and ")} does not give the new certificate yet.`];
}

/**
 * Waits until each of these ports, which speak TLS from the start, serves new connections this certificate (PEM), and no
 * other one in between. Returns the ports that do not within five seconds.
 */
export async function notServing(
  cert: string,
  ports: readonly number[],
  patienceMs = PATIENCE_MS,
): Promise<readonly number[]> {
  const wanted = new X509Certificate(cert).fingerprint256;
  const signal = AbortSignal.timeout(patienceMs);
  const late = await Promise.all(
    ports.map(async (port) => {
      for (let inRow = 0; !signal.aborted; await pause(LOOK_MS)) {
        inRow = (await shownAt(port, patienceMs)) === wanted ? inRow + 1 : 0;
        if (inRow === IN_A_ROW) return [];
      }
      return [port];
    }),
  );
  return late.flat();
}

/** The fingerprint of the certificate at a port of this machine; null if there is none. */
export function shownAt(port: number, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    // Only reads the certificate: it may be self-signed, and nothing is sent.
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, timeout: timeoutMs });
    const end = (found: string | null): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once("secureConnect", () => end(socket.getPeerX509Certificate()?.fingerprint256 ?? null));
    for (const event of ["error", "timeout", "close"]) socket.once(event, () => end(null));
  });
}
