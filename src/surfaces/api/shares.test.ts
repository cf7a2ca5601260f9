import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { until } from "../../../test/kit/until.ts";
import { type Ip, parseIp, parsePrefix } from "../../core/net/ip.ts";
import { ConnectionShares } from "./shares.ts";

const LOOPBACK = parsePrefix("127.0.0.0/8") ?? assert.fail();
const PATIENCE_MS = 5_000;

/** A server with few places. `/wait` is answered by hand; the header X names the client where the proxy is trusted. */
async function serving(t: TestContext, limits: { connections: number; connectionsAnAddress: number }, isProxy = false) {
  const shares = new ConnectionShares(limits, { ipv6Prefix: 64, trustedProxies: isProxy ? [LOOPBACK] : [] });
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const client: Ip | null = parseIp(String(request.headers["x"] ?? "127.0.0.1"));
    if (client === null || !shares.isWithin(request.socket, client)) return void response.writeHead(503).end();
    if (request.url === "/wait") return void waiting.push(response);
    response.writeHead(204).end();
  });
  shares.watch(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  const address = server.address();
  if (address === null || typeof address === "string") assert.fail("no port");
  const { port } = address;
  const open = async (sends = "", localAddress = "127.0.0.1"): Promise<Socket> => {
    const socket = connect({ port, host: "127.0.0.1", localAddress }).on("error", () => {});
    t.after(() => socket.destroy());
    await once(socket, "connect");
    socket.resume().write(sends);
    return socket;
  };
  const asks = async (x: string, path = "/"): Promise<string> => {
    const socket = await open(request(path, x));
    let text = "";
    const over = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    await once(socket, "close");
    clearTimeout(over);
    return text.split("\r\n")[0]?.slice(9, 12) ?? "";
  };
  return { open, asks, waiting };
}

function request(path: string, x: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nX: ${x}\r\nConnection: close\r\n\r\n`;
}

test("a client's slow and idle connections give way to its new ones, oldest first", async (t) => {
  const { open, asks } = await serving(t, { connections: 100, connectionsAnAddress: 3 });
  const held = [
    await open(),
    await open("GET / HT"),
    await open("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"),
  ];
  for (const [i, socket] of held.entries()) {
    assert.ok(!socket.destroyed);
    assert.equal(await asks("127.0.0.1"), "204", `${i}`);
    const next = await open();
    await until(() => socket.destroyed);
    held.push(next);
    if (i === 1) break;
  }
});

test("a connection that is being answered stays open; a client whose places are all busy is refused", async (t) => {
  const { open, asks, waiting } = await serving(t, { connections: 100, connectionsAnAddress: 2 });
  const held = [await open(request("/wait", "127.0.0.1")), await open(request("/wait", "127.0.0.1"))];
  await until(() => waiting.length === 2);
  assert.equal(await asks("127.0.0.1"), "", "closed");
  const other = await open(request("/", "127.0.0.2"), "127.0.0.2");
  await once(other, "close");
  assert.deepEqual(
    held.map(({ destroyed }) => destroyed),
    [false, false],
  );
  for (const response of waiting) response.end();
});

test("behind a trusted proxy slow connections leave room for others, and each client has its own share", async (t) => {
  const { open, asks, waiting } = await serving(t, { connections: 8, connectionsAnAddress: 2 }, true);
  // At once, so that several arrive before the first is closed.
  const idle = await Promise.all(Array.from({ length: 60 }, (_, i) => open(i % 2 === 0 ? "" : "GET / HT")));
  await until(() => idle.filter(({ destroyed }) => !destroyed).length <= 8);
  assert.equal(await asks("203.0.113.1"), "204");
  for (let i = 0; i < 2; i++) await open(request("/wait", "203.0.113.9"));
  await until(() => waiting.length === 2);
  assert.equal(await asks("203.0.113.9"), "503", "its places are at work");
  assert.equal(await asks("203.0.113.1"), "204");
});
