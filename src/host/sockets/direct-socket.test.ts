import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { patience } from "../../../test/kit/patience.ts";
import { servedSocket } from "../../../test/kit/served.ts";
import { until } from "../../../test/kit/until.ts";
import { descriptorOf, readBuffer, readNow, writeNow } from "./direct-socket.ts";

const MOST_MS = 10_000;

type Step = (socket: Socket) => void;

/** Starts a server whose connections read into one buffer, and collects the data of each. Ends with the test. */
async function listening(t: TestContext, prepare: Step, taken: Step = () => {}) {
  const into = readBuffer();
  const received: { text: string; reads: number; socket: Socket; closed: boolean }[] = [];
  const path = await servedSocket((socket) => {
    prepare(socket);
    const one = { text: "", reads: 0, socket, closed: false };
    received.push(one);
    socket.on("close", () => (one.closed = true));
    readNow(socket, into, (bytes) => {
      one.text += bytes.toString("latin1");
      one.reads += 1;
      taken(socket);
    });
  });
  const client = async (): Promise<Socket> => {
    const socket = connect(path).on("error", () => {});
    t.after(() => socket.destroy());
    await once(socket, "connect", { signal: AbortSignal.timeout(MOST_MS) });
    return socket;
  };
  return { client, received };
}

const withoutHandle = (socket: Socket): void => {
  const handle: unknown = Reflect.get(socket, "_handle");
  assert.ok(typeof handle === "object" && handle !== null);
  Reflect.set(handle, "useUserBuffer", undefined);
};

for (const [how, prepare, streamed] of [
  ["bypassing the stream", () => {}, 0],
  ["through the stream if the handle offers nothing else", withoutHandle, 1],
] as const) {
  test(`all bytes arrive in order, each at the right connection, ${how}`, async (t) => {
    const { client, received } = await listening(t, prepare);
    const [one, two] = [await client(), await client()];
    await until(() => received.length === 2);
    assert.equal(received[0]?.socket.listenerCount("data"), streamed);
    // Longer than the buffer.
    const long = Array.from({ length: 5_000 }, (_, line) => `line ${line}\n`).join("");
    one.write(long);
    two.write("short\n");
    one.write("end\n");
    await until(() => received.some(({ text }) => text.length === long.length + 4));
    await until(() => received.some(({ text }) => text === "short\n"));
    assert.ok(received.some(({ text }) => text === `${long}end\n`));
  });

  test(`a connection that its client ends or breaks off is closed, ${how}`, async (t) => {
    const { client, received } = await listening(t, prepare);
    const ending = await client();
    ending.end("last");
    await until(() => received[0]?.closed === true);
    assert.equal(received[0]?.text, "last");
    const cut = await client();
    cut.write("cut");
    await until(() => received[1]?.text === "cut");
    cut.destroy();
    await until(() => received[1]?.closed === true);
  });

  test(`a connection that is destroyed during a read receives nothing more, ${how}`, async (t) => {
    const { client, received } = await listening(t, prepare, (socket) => socket.destroy());
    const socket = await client();
    // More than one read takes. Without the end, the next reads would follow within the same turn of the event loop.
    socket.write("x".repeat(1_000_000));
    await until(() => received[0]?.closed === true);
    assert.equal(received[0]?.reads, 1);
  });
}

/** Both ends of a connection over a unix socket. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const { promise: accepted, resolve } = Promise.withResolvers<Socket>();
  const client = connect(await servedSocket(resolve));
  return [await accepted, client];
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
  test(`texts arrive in order, ${how}`, async () => {
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

  test(`unread text waits in the stream, and nothing is lost, ${how}`, async () => {
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

test("writes nothing to the descriptor of a destroyed socket, which may have a new owner", async () => {
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
