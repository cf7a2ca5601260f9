import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { listenOnSocket } from "../../../test/kit/local-server.ts";
import { installed } from "../../../test/kit/needs.ts";
import { failed, hung, saying, servedPort, servedSocket, silent } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { codeOf } from "../../core/error.ts";
import { type Exchange, exchange, unlessCrowded } from "./exchange.ts";
import { GOODBYE_MS } from "./port-dialogue.ts";

const SHORT_MS = 200;
const GREETING: Exchange = { isAnswer: (said) => said.startsWith("220 ready") };

test("an answer may come in pieces", async () => {
  const path = await servedSocket((socket) => {
    socket.write("220 re");
    setImmediate(() => socket.write("ady"));
  });
  assert.deepEqual(await exchange({ path }, GREETING, 5_000), { ok: true });
});

test("the question and the goodbye are sent, over TCP from the source address", async () => {
  const heard: string[] = [];
  let from: string | undefined;
  const ended = Promise.withResolvers<void>();
  const port = await servedPort((socket) => {
    from = socket.remoteAddress;
    socket.on("data", (said) => {
      heard.push(said.toString());
      if (heard.length === 1) socket.write("220 ready");
    });
    socket.once("end", () => ended.resolve());
  });
  const target = { host: "127.0.0.1", port, localAddress: "127.71.9.25" };
  assert.deepEqual(await exchange(target, { ...GREETING, question: "HELLO", goodbye: "QUIT" }, 5_000), { ok: true });
  await ended.promise;
  assert.deepEqual(heard, ["HELLO", "QUIT"]);
  assert.equal(from, "127.71.9.25");
});

test("a part that answers but does not hang up loses the connection", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const ended = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.write("220 ready");
    socket.resume().once("end", () => ended.resolve(socket));
  });
  const path = join(temporaryDirectory(), "socket");
  await listenOnSocket(server, path);
  assert.deepEqual(await exchange({ path }, { ...GREETING, goodbye: "QUIT" }, 5_000), { ok: true });
  const socket = await ended.promise;
  t.mock.timers.tick(GOODBYE_MS);
  const broken = once(socket, "error");
  socket.write("?");
  assert.equal(codeOf((await broken)[0]), "EPIPE");
});

test("a part that accepts the connection and is silent hangs", async () => {
  const path = await servedSocket(silent);
  assert.deepEqual(await exchange({ path }, GREETING, SHORT_MS), hung("gave no answer within 0.2 s"));
});

test("a part with a full queue of waiting connections hangs too", installed("python3"), async (t) => {
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
  assert.deepEqual(await exchange({ path }, GREETING, 5_000), hung("gave no answer to any waiting connection"));
});

test("a part that hangs up, talks endlessly or is missing does not hang", async () => {
  const closing = await servedSocket((socket) => socket.end("421 no"));
  assert.deepEqual(await exchange({ path: closing }, GREETING, 5_000), failed("hung up"));
  const talking = await servedSocket(saying("x".repeat(20_000)));
  assert.deepEqual(await exchange({ path: talking }, GREETING, 5_000), failed("gave an unexpected answer"));
  const path = join(temporaryDirectory(), "none");
  assert.deepEqual(await exchange({ path }, GREETING, 5_000), failed("cannot be reached (ENOENT)"));
});

const HANGS = hung("gave no answer");

test("a silent port counts as hung, unless two thirds of its places are taken", async (t) => {
  const port = await servedPort(silent);
  for (let i = 0; i < 2; i++) {
    const client = connect(port, "127.0.0.1");
    t.after(() => client.destroy());
    await once(client, "connect");
  }
  assert.deepEqual(unlessCrowded(HANGS, port, 4), HANGS);
  const crowded = failed("gave no answer while most of its places are taken");
  assert.deepEqual(unlessCrowded(HANGS, port, 3), crowded);
  assert.deepEqual(unlessCrowded({ ok: true }, port, 1), { ok: true });
});
