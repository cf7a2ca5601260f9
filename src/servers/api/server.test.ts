import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { API_LIMITS } from "./limits.ts";
import { ApiServer } from "./server.ts";
import { bearer, startKit } from "./test-kit.ts";

/** Writes bytes as they are and reads until the server ends the connection. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  socket.on("error", () => {}); // a reset after the answer is an end too
  socket.write(bytes);
  await once(socket, "close");
  return text;
}

test("headers without bound are refused", async (t) => {
  const kit = await startKit(t);
  const big = "x".repeat(API_LIMITS.headerBytes + 1);
  assert.match(await raw(kit.port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${big}\r\n\r\n`), /^HTTP\/1\.1 431 /);
});

test("what is not HTTP is answered and dropped", async (t) => {
  const kit = await startKit(t);
  assert.match(await raw(kit.port, "EHLO there\r\n\r\n"), /^HTTP\/1\.1 400 /);
  const split = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  assert.match(await raw(kit.port, split), /^HTTP\/1\.1 400 /, "request smuggling");
});

test("a port in use is told to whoever starts it", async (t) => {
  const kit = await startKit(t);
  await assert.rejects(new ApiServer(kit.parts).listen("127.0.0.1", kit.port), { code: "EADDRINUSE" });
});

test("after the stop nothing listens, and stopping twice is no error", async (t) => {
  const kit = await startKit(t);
  await fetch(`${kit.url}/healthz/live`);
  await kit.stop();
  await kit.stop();
  await assert.rejects(fetch(`${kit.url}/healthz/live`));
});

test("a stop does not wait for connections that have been answered, nor for open streams", async (t) => {
  const kit = await startKit(t);
  const { body } = await fetch(`${kit.url}/api/v1/events/stream`, { headers: bearer });
  await fetch(`${kit.url}/healthz/live`);
  const from = performance.now();
  await Promise.all([kit.stop(), body?.pipeTo(new WritableStream())]);
  assert.ok(performance.now() - from < API_LIMITS.stopMs / 2, "it was cut off instead");
});
