import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ACTION, ask, BANNED, Client, DEADLINE_MS, HeldEngine, started } from "../../../test/kit/policy-server-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { PolicyServer } from "./policy-server.ts";

const directory = temporaryDirectory();

test("stop answers what was asked, ends every connection and removes the socket", async () => {
  const { server, engine, path, client: asking } = await started({ stopMs: DEADLINE_MS });
  const idle = new Client(path);
  asking.socket.write(ask());
  await until(() => engine.asked.length === 1 && server.connections === 2, "both are connected");
  const stopped = server.stop();
  await until(() => idle.closed, "the idle one is ended");
  assert.equal(asking.closed, false);
  engine.answer(0, BANNED);
  await stopped;
  await until(() => asking.closed, "the asking one is ended");
  assert.equal(asking.text, ACTION.banned);
  await assert.rejects(stat(path), { code: "ENOENT" });
});

test("stop does not wait indefinitely for an engine that hangs", async () => {
  const { server, engine, client } = await started({ stopMs: 20 });
  client.socket.write(ask());
  await until(() => engine.asked.length === 1, "the question arrives");
  await server.stop();
  await until(() => client.closed, "it is cut");
  assert.equal(client.text, "");
});

test("the socket has mode 0660 and replaces that of a program that died", async () => {
  const path = join(directory, "stale.sock");
  const { spawnSync } = await import("node:child_process");
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  assert.ok((await stat(path)).isSocket(), "a stale socket is there");
  const server = new PolicyServer(new HeldEngine().submit, assert.fail);
  await server.start(path);
  assert.equal((await stat(path)).mode & 0o777, 0o660);
  await server.stop();
});

test("the socket of a living program, a plain file and a missing directory are refused in one sentence", async () => {
  const path = join(directory, "taken.sock");
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(path, resolve));
  const server = (): PolicyServer => new PolicyServer(new HeldEngine().submit, assert.fail);
  await assert.rejects(server().start(path), {
    message: `Cannot listen at ${path}: another program is listening there.`,
  });
  await new Promise((resolve) => other.close(resolve));
  const file = join(directory, "file");
  await writeFile(file, "");
  await assert.rejects(server().start(file), {
    message: `Cannot listen at ${file}: a file that is not a socket is there.`,
  });
  const nowhere = join(directory, "none", "x.sock");
  await assert.rejects(server().start(nowhere), { message: /^Cannot listen at .*: (ENOENT|EACCES)\.$/ });
});
