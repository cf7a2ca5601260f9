import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { saying, servedSocket, silent } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { ask, watch } from "./control-client.ts";

const directory = temporaryDirectory();

test("a reply is typed by its verb", async () => {
  let heard = "";
  const path = await servedSocket((socket) =>
    socket.on("data", (chunk) => {
      heard += chunk;
      socket.write('{"ok":true,"res');
      setImmediate(() => socket.write('ult":{"pid":7}}\n'));
    }),
  );
  const reply = await ask(path, { by: "root" }, { verb: "ping" });
  assert.ok(reply.ok);
  assert.equal(reply.result.pid, 7);
  assert.equal(heard, '{"by":"root","command":{"verb":"ping"}}\n');
});

const NOT_RUNNING = { ok: false, kind: "not_running", message: "The guard is not running." };

test("a missing socket, a dead socket and a missing directory mean that nothing listens", async () => {
  assert.deepEqual(await ask(join(directory, "none.sock"), { by: "root" }, { verb: "ping" }), NOT_RUNNING);
  assert.deepEqual(await ask(join(directory, "none", "x.sock"), { by: "root" }, { verb: "ping" }), NOT_RUNNING);
  assert.deepEqual(await watch(join(directory, "none.sock"), () => assert.fail("no one speaks")).ended, NOT_RUNNING);
});

test("a guard that hangs causes a timeout; one that hangs up or breaks the protocol is broken", async () => {
  const kinds: string[] = [];
  for (const serve of [
    silent,
    (socket: Socket) => socket.end(),
    (socket: Socket) => socket.end('{"ok":true'),
    saying("220 mail.example.org ESMTP\r\n"),
  ]) {
    const reply = await ask(await servedSocket(serve), { by: "root" }, { verb: "ping" }, 100);
    assert.ok(!reply.ok);
    kinds.push(reply.kind);
  }
  assert.deepEqual(kinds, ["timeout", "broken", "broken", "broken"]);
});

test("a watch receives each line until the guard leaves", async () => {
  const path = await servedSocket((socket) => {
    socket.write('{"lastEventId":1}\n{"lastEv');
    setImmediate(() => socket.end('entId":2}\n'));
  });
  const heard: number[] = [];
  const ended = await watch(path, (id) => heard.push(id)).ended;
  assert.deepEqual(heard, [1, 2]);
  assert.equal(ended.kind, "broken");
});

test("a closed watch receives nothing more", async () => {
  const heard: number[] = [];
  const watching = watch(await servedSocket(saying('{"lastEventId":1}\n{"lastEventId":2}\n')), (id) => {
    heard.push(id);
    watching.close();
  });
  await watching.ended;
  assert.deepEqual(heard, [1]);
});
