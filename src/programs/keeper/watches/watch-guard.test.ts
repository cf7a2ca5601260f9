import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { MAY_STAND_IN } from "../../../host/running/runit.ts";
import { type Layout, layoutOf } from "../../../settings/layout.ts";
import { GuardWatch } from "./guard-looks.ts";

const ANSWER_MS = 50;

/** A data directory whose supervisor reports this process of ours as the guard. */
function setUp(t: TestContext) {
  const layout = layoutOf(temporaryDirectory());
  const guard = spawn("sleep", ["infinity"]);
  t.after(() => guard.kill("SIGKILL"));
  const pidFile = join(layout.services, "guard", "supervise", "pid");
  for (const file of [layout.controlSocket, pidFile]) mkdirSync(dirname(file), { recursive: true });
  writeFileSync(pidFile, `${guard.pid}\n`);
  const mark = join(layout.services, "guard", MAY_STAND_IN);
  writeFileSync(mark, "");
  return { layout, guard, pidFile, mark, watch: new GuardWatch(layout, ANSWER_MS) };
}

async function listen(t: TestContext, layout: Layout, serve: (socket: Socket) => void): Promise<Server> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on("error", () => undefined));
    serve(socket);
  });
  server.listen(layout.controlSocket);
  await once(server, "listening");
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return server;
}

test("a guard that hangs is killed at the third check, and no stand-in replaces it", async (t) => {
  const { layout, guard, mark, watch } = setUp(t);
  const ended = once(guard, "exit");
  await listen(t, layout, () => undefined);
  assert.deepEqual([await watch.look(), await watch.look(), await watch.look()], [null, null, guard.pid]);
  assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.ok(!existsSync(mark));
});

test("a guard that hangs is not killed while the mark for a stand-in cannot be removed", async (t) => {
  const { layout, guard, mark, watch } = setUp(t);
  await listen(t, layout, () => undefined);
  rmSync(mark);
  // In place of a read-only disk.
  mkdirSync(mark);
  for (let looks = 0; looks < 2; looks++) assert.equal(await watch.look(), null);
  await assert.rejects(watch.look());
  assert.equal(guard.signalCode, null);
});

test("a guard that answers in between, or was replaced by a new one, gets three checks again", async (t) => {
  const { layout, pidFile, guard, watch } = setUp(t);
  let answers = false;
  await listen(t, layout, (socket) => {
    if (answers) socket.write('{"ok":true,"result":{"pid":7}}\n');
  });
  const looks = [await watch.look(), await watch.look()];
  answers = true;
  looks.push(await watch.look());
  answers = false;
  looks.push(await watch.look(), await watch.look());
  writeFileSync(pidFile, `${process.pid}\n`);
  looks.push(await watch.look(), await watch.look());
  assert.deepEqual(
    looks,
    looks.map(() => null),
  );
  assert.equal(guard.exitCode, null);
});

test("a guard that does not run, or that closes the connection, is left to runsv", async (t) => {
  const { layout, guard, watch } = setUp(t);
  for (let i = 0; i < 4; i++) assert.equal(await watch.look(), null);
  await listen(t, layout, (socket) => socket.end());
  for (let i = 0; i < 4; i++) assert.equal(await watch.look(), null);
  assert.equal(guard.signalCode, null);
});
