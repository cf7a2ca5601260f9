import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Host } from "./host.ts";
import { serverFor } from "./mail.ts";

/** Opens a connection to each of these ports of the server, expects all to be accepted, and hangs up when the test ends. */
export async function hold(t: TestContext, host: Host, from: string, ports: readonly number[]) {
  const opened = await Promise.all(ports.map((port) => host.connect({ from, to: serverFor(from), port })));
  const sockets = opened.flatMap((one) => (one.ok ? [one.socket] : []));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  assert.equal(sockets.length, ports.length);
  return sockets;
}
