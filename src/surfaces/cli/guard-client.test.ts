import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { servedSocket } from "../../../test/kit/served.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { dataDirectory, startGuard } from "../../../test/kit/test-guard.ts";
import { printLine } from "../../admin/declare/codec.ts";
import { callerName, createGuardClient, hint } from "./guard-client.ts";
import { notRunning } from "./not-running.ts";

const ABSENT = { why: async () => notRunning(temporaryLayout()), isStarting: async () => false };

test("a command waits for a guard that is starting, and not for one that never does", async () => {
  using layout = dataDirectory();
  const started = Promise.withResolvers<Awaited<ReturnType<typeof startGuard>>>();
  const isStarting = async (): Promise<boolean> => {
    if (!existsSync(layout.controlSocket)) started.resolve(startGuard(layout));
    return true;
  };
  const starting = createGuardClient(layout.controlSocket, "root", { ...ABSENT, isStarting });
  assert.ok((await starting.ask({ verb: "ping" })).ok);
  await (await started.promise).stop();
  const never = createGuardClient(layout.controlSocket, "root", { ...ABSENT, isStarting: async () => true });
  assert.equal((await never.ask({ verb: "ping" })).ok, false);
});

test("after a lost connection the command may have taken effect", async () => {
  using layout = dataDirectory();
  const pong = printLine({ ok: true, result: { pid: 1 } });
  await servedSocket(
    (socket) =>
      socket.on("data", (line) => void (String(line).includes('"ping"') ? socket.end(pong) : socket.destroy())),
    layout.controlSocket,
  );
  const lost = await createGuardClient(layout.controlSocket, "root", ABSENT).ask({ verb: "health" });
  assert.match(lost.ok ? "" : lost.next, /may have taken effect/);
});

test("a watch ends with who asked for it", async () => {
  using layout = dataDirectory();
  const guard = await startGuard(layout);
  const watched = createGuardClient(layout.controlSocket, "root", ABSENT);
  const stop = new AbortController();
  const begun = Promise.withResolvers<undefined>();
  const mine = watched.watch(() => begun.resolve(undefined), stop.signal);
  await begun.promise;
  stop.abort();
  assert.deepEqual(await mine, { ok: true });
  assert.deepEqual(await watched.watch(() => assert.fail(), stop.signal), { ok: true }, "it had ended before");
  await guard.stop();
});

test("the record has the name of the user who became root, if it is valid", () => {
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

test("a hint from the guard is a command to type, unlike the names of settings", () => {
  const expected = "`./ghostinbox spam allow list` shows the senders; `bans.memory` and `firewall.mode` decide.";
  assert.equal(hint("`spam allow list` shows the senders; `bans.memory` and `firewall.mode` decide."), expected);
});
