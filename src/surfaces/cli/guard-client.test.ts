import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { servedSocket } from "../../../test/kit/served.ts";
import { dataDirectory, startGuard } from "../../../test/kit/test-guard.ts";
import { printLine } from "../../admin/declare/codec.ts";
import { takeLock } from "../../host/running/data-directory.ts";
import { callerName, createGuardClient, hint } from "./guard-client.ts";

test("a command waits for a guard that is starting, but not for one that never starts", async () => {
  using layout = dataDirectory();
  const client = createGuardClient(layout, "root");
  assert.equal((await client.ask({ verb: "ping" })).ok, false);
  takeLock(layout.startPid);
  assert.equal((await client.ask({ verb: "ping" })).ok, false, "it never does");
  const asked = client.ask({ verb: "ping" });
  const guard = await startGuard(layout);
  assert.ok((await asked).ok);
  await guard.stop();
});

test("after a lost connection the command may have taken effect", async () => {
  using layout = dataDirectory();
  const pong = printLine({ ok: true, result: { pid: 1 } });
  const answer = (socket: Socket, line: string) => (line.includes('"ping"') ? socket.end(pong) : socket.destroy());
  await servedSocket((socket) => socket.on("data", (line) => answer(socket, String(line))), layout.controlSocket);
  const lost = await createGuardClient(layout, "root").ask({ verb: "health" });
  assert.match(lost.ok ? "" : lost.next, /may have taken effect/);
});

test("a watch ends when its caller or the guard does", async () => {
  using layout = dataDirectory();
  const guard = await startGuard(layout);
  const watched = createGuardClient(layout, "root");
  const stop = new AbortController();
  const begun = Promise.withResolvers<undefined>();
  const mine = watched.watch(() => begun.resolve(undefined), stop.signal);
  await begun.promise;
  stop.abort();
  assert.deepEqual(await mine, { ok: true });
  assert.deepEqual(await watched.watch(() => assert.fail(), stop.signal), { ok: true }, "it had ended before");
  const again = Promise.withResolvers<undefined>();
  const lost = watched.watch(() => again.resolve(undefined), new AbortController().signal);
  await again.promise;
  await guard.stop();
  const message = "The connection to the guard ended.";
  assert.partialDeepStrictEqual(await lost, { ok: false, message }, "only the guard may have restarted");
});

test("the actor includes the user who became root, if the name is valid", () => {
  for (const [before, name] of [
    ["anna", "root (anna)"],
    ["root", "root"],
    ["", "root"],
    ["anna by root", "root"],
    ["x".repeat(40), "root"],
  ] as const)
    assert.equal(callerName({ SUDO_USER: before }), name);
  assert.equal(callerName({}), "root");
});

test("commands in the guard's hints get the program's name; names of settings do not", () => {
  const expected = "`./ghostinbox spam allow list` shows the senders; `bans.memory` and `firewall.mode` decide.";
  assert.equal(hint("`spam allow list` shows the senders; `bans.memory` and `firewall.mode` decide."), expected);
});
