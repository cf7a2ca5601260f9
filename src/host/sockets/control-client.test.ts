import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { ask, watch } from "./control-client.ts";

const directory = temporaryDirectory();

/** A guard that handles each connection as the test says. */
async function withGuard(serve: (socket: Socket) => void, run: (path: string) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    serve(socket);
  });
  const path = join(directory, `${Math.random()}.sock`);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    await run(path);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

test("a reply is typed by its verb", () => {
  let heard = "";
  const serve = (socket: Socket): void => {
    socket.on("data", (chunk) => {
      heard += chunk;
      socket.write('{"ok":true,"res');
      setImmediate(() => socket.write('ult":{"pid":7}}\n'));
    });
  };
  return withGuard(serve, async (path) => {
    const reply = await ask(path, { by: "root" }, { verb: "ping" });
    assert.ok(reply.ok);
    assert.equal(reply.result.pid, 7);
    assert.equal(heard, '{"by":"root","command":{"verb":"ping"}}\n');
  });
});

test("a refusal comes back unchanged", () =>
  withGuard(
    (socket) => socket.end('{"ok":false,"kind":"usage","message":"No.","next":"Yes."}\n'),
    async (path) => {
      const reply = await ask(path, { by: "root" }, { verb: "unban", target: "x" });
      assert.deepEqual(reply, { ok: false, kind: "usage", message: "No.", next: "Yes." });
    },
  ));

const NOT_RUNNING = { ok: false, kind: "not_running", message: "The guard is not running." };

test("nothing listens: no socket, a dead socket, no directory", async () => {
  assert.deepEqual(await ask(join(directory, "none.sock"), { by: "root" }, { verb: "ping" }), NOT_RUNNING);
  assert.deepEqual(await ask(join(directory, "none", "x.sock"), { by: "root" }, { verb: "ping" }), NOT_RUNNING);
  assert.deepEqual(await watch(join(directory, "none.sock"), () => assert.fail("no one speaks")).ended, NOT_RUNNING);
});

test("a guard that hangs, hangs up or breaks the protocol", async () => {
  await withGuard(
    () => {},
    async (path) => assert.equal((await ask(path, { by: "root" }, { verb: "ping" }, 30)).ok, false),
  );
  const kinds: string[] = [];
  for (const serve of [
    (): void => {},
    (socket: Socket): void => void socket.end(),
    (socket: Socket): void => void socket.end('{"ok":true'),
    (socket: Socket): void => void socket.write("220 mail.example.org ESMTP\r\n"),
  ])
    await withGuard(serve, async (path) => {
      const reply = await ask(path, { by: "root" }, { verb: "ping" }, 100);
      assert.ok(!reply.ok);
      kinds.push(reply.kind);
    });
  assert.deepEqual(kinds, ["timeout", "broken", "broken", "broken"]);
});

test("watch hears each line until the guard leaves", () =>
  withGuard(
    (socket) => {
      socket.write('{"lastEventId":1}\n{"lastEv');
      setImmediate(() => socket.end('entId":2}\n'));
    },
    async (path) => {
      const heard: number[] = [];
      const ended = await watch(path, (id) => heard.push(id)).ended;
      assert.deepEqual(heard, [1, 2]);
      assert.equal(ended.kind, "broken");
    },
  ));

test("a closed watch hears no more", () =>
  withGuard(
    (socket) => socket.write('{"lastEventId":1}\n{"lastEventId":2}\n'),
    async (path) => {
      const heard: number[] = [];
      const watching = watch(path, (id) => {
        heard.push(id);
        watching.close();
      });
      await watching.ended;
      assert.deepEqual(heard, [1]);
    },
  ));
