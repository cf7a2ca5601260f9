import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { patience } from "../../../test/kit/patience.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { descriptorOf, writeNow } from "./direct-socket.ts";

const MOST_MS = 10_000;

/** Both ends of a connection over a unix socket. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const path = join(temporaryDirectory(), "socket");
  const server = createServer().listen(path);
  await once(server, "listening");
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const client = connect(path);
  const ends = [await accepted, client] as const;
  server.close();
  return ends;
}

async function readOf(socket: Socket, length: number): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
  const deadline = AbortSignal.timeout(patience(MOST_MS));
  while (text.length < length) await once(socket, "data", { signal: deadline });
  return text;
}

for (const [how, descriptor] of [
  ["past the stream", descriptorOf],
  ["by the stream, where the descriptor is not known", () => null],
] as const) {
  test(`texts arrive in their order, ${how}`, async () => {
    const [from, to] = await pair();
    const fd = descriptor(from);
    assert.equal(typeof fd, how === "past the stream" ? "number" : "object");
    writeNow(from, fd, "one\n");
    from.write("two\n");
    writeNow(from, fd, "three ü\n");
    const sent = "one\ntwo\nthree ü\n";
    assert.equal(await readOf(to, sent.length), sent);
    from.destroy();
  });

  test(`what the other side does not read yet waits in the stream, and nothing is lost, ${how}`, async () => {
    const [from, to] = await pair();
    const fd = descriptor(from);
    let sent = "";
    for (let line = 0; from.writableLength < 100_000; line++) {
      const text = `${line} ${"x".repeat(1_000)}\n`;
      writeNow(from, fd, text);
      sent += text;
    }
    assert.ok((await readOf(to, sent.length)) === sent);
    from.destroy();
  });
}

test("nothing is written to the descriptor of a socket that is destroyed, which may be another's", async () => {
  const [from, to] = await pair();
  const fd = descriptorOf(from);
  from.on("error", () => {});
  from.destroy();
  writeNow(from, fd, "late");
  to.resume();
  await once(to, "close", { signal: AbortSignal.timeout(patience(MOST_MS)) });
  assert.equal(to.bytesRead, 0);
  assert.equal(descriptorOf(from), null);
});
