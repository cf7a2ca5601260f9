import { writeSync } from "node:fs";
import type { Socket } from "node:net";

/** As long as the longest question. Longer input takes several reads. */
const READ_BYTES = 16 * 1024;

/**
 * A buffer that several sockets read into, in turn. Otherwise Node allocates 64 KB for each read, which its garbage
 * collector must free.
 */
export function readBuffer(): Buffer {
  return Buffer.alloc(READ_BYTES);
}

/**
 * Calls `take` with received data, bypassing the socket's stream. `net.Socket` offers this only to clients (`onread`), so this sets it
 * on the handle, which Node does not document; without a handle it uses the stream. The bytes are in `into`, valid until `take`
 * returns. A `take` that destroys the socket is not called again. The end, and every error, goes to the stream.
 */
export function readNow(socket: Socket, into: Buffer, take: (bytes: Buffer) => void): void {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return void socket.on("data", take);
  const useBuffer: unknown = Reflect.get(handle, "useUserBuffer");
  const onEnd: unknown = Reflect.get(handle, "onread");
  if (typeof useBuffer !== "function" || typeof onEnd !== "function") return void socket.on("data", take);
  let read = socket.bytesRead;
  Reflect.apply(useBuffer, handle, [into]);
  Reflect.set(handle, "onread", (...args: readonly unknown[]): void => {
    const before = read;
    read = socket.bytesRead;
    if (read === before) Reflect.apply(onEnd, handle, args);
    else take(into.subarray(0, read - before));
  });
  // A stream reports its end only while it flows.
  socket.resume();
}

/** The descriptor behind a socket, which Node does not document; null if there is none. It is closed with the socket. */
export function descriptorOf(socket: Socket): number | null {
  const handle: unknown = Reflect.get(socket, "_handle");
  const fd: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : null;
  return typeof fd === "number" && fd >= 0 ? fd : null;
}

/**
 * Writes Latin-1 text at once, bypassing the stream, which would double the cost to allow for writes that have to wait. Text that
 * the kernel does not accept goes to the stream, as do all errors, and all text if the descriptor is null.
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
