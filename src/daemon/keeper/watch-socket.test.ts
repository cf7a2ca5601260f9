import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { layoutOf } from "../../settings/layout.ts";
import { postgreySocket, rspamdSocket, SocketWatch } from "./watch-socket.ts";

function dataDirectory(t: TestContext) {
  const layout = layoutOf(mkdtempSync(join(tmpdir(), "ghostinbox-watch-")));
  t.after(() => rmSync(layout.data, { recursive: true, force: true }));
  for (const folder of [dirname(layout.greylistSocket), layout.postgreyConf]) mkdirSync(folder, { recursive: true });
  return layout;
}

/** How many troubles are told after each of these looks. */
async function looks(watch: SocketWatch, count: number): Promise<readonly number[]> {
  const told: number[] = [];
  for (let i = 0; i < count; i++) {
    await watch.look();
    told.push(watch.troubles().length);
  }
  return told;
}

test("one that is not there is told at the second look, where greylisting is on", async (t) => {
  const layout = dataDirectory(t);
  assert.deepEqual(await looks(new SocketWatch(postgreySocket(layout)), 2), [0, 0], "nothing is rendered yet");
  writeFileSync(join(layout.postgreyConf, "command"), "exec sleep infinity\n");
  assert.deepEqual(await looks(new SocketWatch(postgreySocket(layout)), 2), [0, 0], "it is off");
  writeFileSync(join(layout.postgreyConf, "command"), `exec postgrey --unix=${layout.greylistSocket}\n`);
  assert.deepEqual(await looks(new SocketWatch(postgreySocket(layout)), 3), [0, 1, 1]);
});

test("a verifier is wanted once it is rendered", async (t) => {
  const layout = dataDirectory(t);
  mkdirSync(layout.rspamdConf);
  assert.deepEqual(await looks(new SocketWatch(rspamdSocket(layout)), 2), [0, 0]);
  writeFileSync(join(layout.rspamdConf, "rspamd.conf"), "");
  const watch = new SocketWatch(rspamdSocket(layout));
  assert.deepEqual(await looks(watch, 2), [0, 1]);
  assert.deepEqual(
    watch.troubles().map(({ code }) => code),
    ["verifier_silent"],
  );
});

test("one that is frozen is told, until it answers again", async (t) => {
  const layout = dataDirectory(t);
  writeFileSync(join(layout.postgreyConf, "command"), `exec postgrey --unix=${layout.greylistSocket}\n`);
  const open = new Set<Socket>();
  let frozen = true;
  const server = createServer((socket) => {
    open.add(socket);
    if (!frozen) socket.on("data", () => socket.write("action=DUNNO\n\n"));
  });
  server.listen(layout.greylistSocket);
  await once(server, "listening");
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const watch = new SocketWatch(postgreySocket(layout));
  assert.deepEqual(await looks(watch, 2), [0, 1]);
  frozen = false;
  assert.deepEqual(await looks(watch, 1), [0]);
});
