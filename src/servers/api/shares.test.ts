import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { until } from "../../../test/kit/api-kit.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { shareConnections } from "./shares.ts";

const LOOPBACK = parsePrefix("127.0.0.0/8") ?? assert.fail();

async function serving(t: TestContext, trustedProxies: readonly (typeof LOOPBACK)[]): Promise<() => Socket> {
  const server = createServer((_, response) => response.writeHead(204).end());
  shareConnections(server, { most: 2, ipv6Prefix: 64, trustedProxies });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  const address = server.address();
  if (address === null || typeof address === "string") assert.fail("no port");
  return () => connect(address.port, "127.0.0.1").on("error", () => {});
}

test("a share is taken by open connections only", async (t) => {
  const open = await serving(t, []);
  const first = [open(), open()];
  await Promise.all(first.map((socket) => once(socket, "connect")));
  await once(open().resume(), "close");
  for (const socket of first) socket.destroy();
  await until(async () => {
    const next = open().resume();
    const stays = await Promise.race([
      once(next, "close").then(() => false),
      new Promise((resolve) => setTimeout(() => resolve(true), 100)),
    ]);
    next.destroy();
    return stays === true;
  });
});

test("a trusted proxy may take them all", async (t) => {
  const open = await serving(t, [LOOPBACK]);
  const sockets = Array.from({ length: 8 }, open);
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  assert.equal(sockets.filter((socket) => socket.destroyed).length, 0);
  const answers = await Promise.all(sockets.map(answerOf));
  assert.deepEqual(answers, Array(8).fill("HTTP/1.1 204 No Content"));
});

async function answerOf(socket: Socket): Promise<string> {
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let text = "";
  for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
  return text.split("\r\n")[0] ?? "";
}
