import { writeSync } from "node:fs";
import type { Socket } from "node:net";

/** The descriptor behind a socket, which Node does not document; null where there is none. It is closed with the socket. */
export function descriptorOf(socket: Socket): number | null {
  const handle: unknown = Reflect.get(socket, "_handle");
  const fd: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : null;
  return typeof fd === "number" && fd >= 0 ? fd : null;
}

/**
 * Writes Latin-1 text at once, bypassing the stream, which doubles the cost for writes that may have to wait. Text that the
 * kernel does not accept goes to the stream, as do all errors, and all text if the descriptor is null.
 */
export function writeNow(socket: Socket, fd: number | null, text: string): void {
  const taken = fd === null || socket.destroyed || socket.writableLength > 0 ? 0 : takenOf(fd, text);
  if (taken < text.length) socket.write(text.slice(taken), "latin1");
}

function takenOf(fd: number, text: string): number {
  try {
    return writeSync(fd, text, null, "latin1");
  } catch {
    return 0;
  }
}
