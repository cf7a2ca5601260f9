import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { bearer, startKit } from "../../../test/kit/api-kit.ts";
import { patience } from "../../../test/kit/patience.ts";
import { until } from "../../../test/kit/until.ts";
import { API_LIMITS, type ApiLimits } from "./limits.ts";
import { createApiServer } from "./server.ts";

/** Writes raw bytes, and reads until the server closes the connection. */
async function raw(port: number, bytes: string, localAddress = "127.0.0.1"): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  socket.on("error", () => {}); // a reset after the answer is an end too
  socket.write(bytes);
  await once(socket, "close");
  return text;
}

const LIVE = "GET /healthz/live HTTP/1.1\r\nConnection: close\r\n";
const SMUGGLED = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

for (const [what, request, status] of [
  ["a request that names one host", `${LIVE}Host: x\r\n\r\n`, 200],
  ["one that names none", `${LIVE}\r\n`, 400],
  ["one of HTTP/1.0 that names none", "GET /healthz/live HTTP/1.0\r\n\r\n", 200],
  ["a sign-in that names none", "POST /api/v1/login HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", 403],
  ["one that names two", `${LIVE}Host: x\r\nHost: y\r\n\r\n`, 400],
  ["one with headers without bound", `${LIVE}Host: x\r\nX: ${"x".repeat(API_LIMITS.headerBytes + 1)}\r\n\r\n`, 431],
  ["one that smuggles another", `${LIVE}Host: x\r\n${SMUGGLED}`, 400],
  ["what is not HTTP", "EHLO there\r\n\r\n", 400],
] as const)
  test(`${what} is answered with ${status}`, async (t) => {
    const { port } = await startKit(t);
    assert.match(await raw(port, request), new RegExp(`^HTTP/1\\.1 ${status} `));
  });

test("a stop does not wait for answered connections, ends open streams at once, and closes the port", async (t) => {
  const kit = await startKit(t);
  const { body } = await fetch(`${kit.url}/api/v1/events/stream`, { headers: bearer });
  await fetch(`${kit.url}/healthz/live`);
  const from = performance.now();
  await Promise.all([kit.stop(), body?.pipeTo(new WritableStream())]);
  assert.ok(performance.now() - from < API_LIMITS.stopMs / 2, "it was cut off instead");
  assert.equal(kit.subscribers(), 0);
  await kit.stop();
  await assert.rejects(fetch(`${kit.url}/healthz/live`));
});

/** The real server with other limits, behind the same parts. */
async function listening(t: TestContext, limits: Partial<ApiLimits>): Promise<number> {
  const server = createApiServer((await startKit(t)).parts, { ...API_LIMITS, ...limits });
  t.after(() => server.stop());
  return server.listen("127.0.0.1", 0);
}

/** Opens a connection and sends the text one byte at a time, every 50 ms. */
function slow(t: TestContext, port: number, bytes: string): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.resume().on("error", () => {}); // reset by the server
  let sent = 0;
  const trickle = setInterval(() => socket.write(bytes[sent++ % bytes.length] ?? ""), 50);
  socket.once("close", () => clearInterval(trickle));
  t.after(() => socket.destroy());
  return socket;
}

test("every slow request is cut off within a second of its deadline, and its place is free again", async (t) => {
  const port = await listening(t, { connections: 12, headersMs: 500, requestMs: 800 });
  const body = "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n";
  const from = performance.now();
  const held = Array.from({ length: 12 }, (_, i) => {
    if (i % 3 === 0) return slow(t, port, ""); // says nothing at all
    const socket = slow(t, port, i % 3 === 1 ? "GET / HTTP/1.1\r\nX: ".padEnd(10_000, "x") : "{ ");
    if (i % 3 === 2) socket.write(body);
    return socket;
  });
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
  assert.ok(performance.now() - from < 800 + API_LIMITS.lookMs + patience(1_000), `${performance.now() - from} ms`);
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz/live`)).status, 200);
});

test("one address gets only its share of the connections, and others can still connect", async (t) => {
  const port = await listening(t, { connections: 12, connectionsAnAddress: 4 });
  const held = Array.from({ length: 40 }, () => slow(t, port, ""));
  await until(() => held.filter((socket) => socket.destroyed).length === 36);
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz/live`)).status, 200, "what is slow goes first");
  assert.match(await raw(port, `${LIVE}Host: 127.0.0.1\r\n\r\n`, "127.0.0.2"), /^HTTP\/1\.1 200 /);
});
