import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { listenOnPort, listenOnSocket } from "../../../test/kit/local-server.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { type Exchange, exchange } from "./exchange.ts";

const SHORT_MS = 200;
const GREETING: Exchange = { isAnswer: (said) => said.startsWith("220 ready") };

/** Starts a server that does this with each connection, and returns its address. */
async function served(t: TestContext, serve: (socket: Socket) => void): Promise<Readonly<{ path: string }>> {
  const open = new Set<Socket>();
  const path = join(temporaryDirectory(), "socket");
  const server = createServer((socket) => {
    open.add(socket.on("error", () => undefined));
    serve(socket);
  });
  await listenOnSocket(server, path);
  t.after(() => {
    for (const socket of open) socket.destroy();
  });
  return { path };
}

test("an answer may come in pieces", async (t) => {
  const target = await served(t, (socket) => {
    socket.write("220 re");
    setImmediate(() => socket.write("ady"));
  });
  assert.deepEqual(await exchange(target, GREETING, 5_000), { ok: true });
});

test("the question and the goodbye are sent, over TCP from the source address", async () => {
  const heard: string[] = [];
  let from: string | undefined;
  const ended = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    from = socket.remoteAddress;
    socket.on("data", (said) => {
      heard.push(said.toString());
      if (heard.length === 1) socket.write("220 ready");
    });
    socket.once("end", () => ended.resolve());
  });
  const port = await listenOnPort(server);
  const target = { host: "127.0.0.1", port, localAddress: "127.71.9.25" };
  assert.deepEqual(await exchange(target, { ...GREETING, question: "HELLO", goodbye: "QUIT" }, 5_000), { ok: true });
  await ended.promise;
  assert.deepEqual(heard, ["HELLO", "QUIT"]);
  assert.equal(from, "127.71.9.25");
});

test("one that takes the connection and says nothing hangs", async (t) => {
  const target = await served(t, () => undefined);
  assert.deepEqual(await exchange(target, GREETING, SHORT_MS), {
    ok: false,
    hangs: true,
    says: "gave no answer within 0.2 s",
  });
});

test("one whose queue of waiting connections is full hangs too", {
  skip: lacking({ installed: ["python3"] }),
}, async (t) => {
  const path = join(temporaryDirectory(), "socket");
  // A program that listens and never accepts: one connection waits (listen(2) adds one to the backlog).
  const listens =
    "import socket,sys,time; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(0); print(1,flush=True); time.sleep(60)";
  const frozen = spawn("python3", ["-c", listens, path], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => frozen.kill("SIGKILL"));
  await once(frozen.stdout, "data");
  const first = connect(path);
  t.after(() => first.destroy());
  await once(first, "connect");
  assert.deepEqual(await exchange({ path }, GREETING, 5_000), {
    ok: false,
    hangs: true,
    says: "gave no answer to any of those who wait",
  });
});

test("one that hangs up, or says something else without an end, does not hang", async (t) => {
  const closing = await served(t, (socket) => socket.end("421 no"));
  assert.deepEqual(await exchange(closing, GREETING, 5_000), { ok: false, hangs: false, says: "hung up" });
  const talking = await served(t, (socket) => socket.write("x".repeat(20_000)));
  assert.deepEqual(await exchange(talking, GREETING, 5_000), {
    ok: false,
    hangs: false,
    says: "said something else than its answer",
  });
});

test("one that is not there cannot be reached", async () => {
  assert.deepEqual(await exchange({ path: join(temporaryDirectory(), "none") }, GREETING, 5_000), {
    ok: false,
    hangs: false,
    says: "cannot be reached (ENOENT)",
  });
});
